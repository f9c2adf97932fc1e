/// <reference types="svelte" />
/// <reference types="vite/client" />

/** Whether this build carries the mock backend. */
declare const __MOCK__: boolean;
