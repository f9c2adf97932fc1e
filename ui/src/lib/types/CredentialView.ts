import type { CredentialState } from "./CredentialState";
export type CredentialView = { name: string, added: string, state: CredentialState, };
