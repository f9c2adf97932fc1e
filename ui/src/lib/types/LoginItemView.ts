export type LoginItemView = { on: boolean, path: string, fault: string | null, };
