// What the Loops window asks for.

export interface LoopsCommands {}
