// What the Spend window asks for.

export interface SpendCommands {}
