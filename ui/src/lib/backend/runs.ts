// What the Runs window asks for.

export interface RunsCommands {}
