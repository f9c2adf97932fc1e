// What the Settings window asks for.

export interface SettingsCommands {}
