// What the Review window asks for.

export interface ReviewCommands {}
