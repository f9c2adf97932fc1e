import type { CredentialView } from "./CredentialView";
import type { KeychainView } from "./KeychainView";
export type CredentialsView = { keychain: KeychainView, credentials: Array<CredentialView>, };
