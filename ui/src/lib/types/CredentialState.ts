export type CredentialState = "stored" | "missing" | "unknown";
