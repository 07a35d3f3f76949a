export { optionFrom } from './option.ts';
export type { OptionDefinition, OptionValues } from './option.ts';
export { runProgram } from './run-program.ts';
export type { ProgramContext, ProgramDefinition, ProgramInvocation } from './run-program.ts';
export { auditSettingsOf, durationOf, logLevelOf, minimumCronIntervalOf, probeSettingsOf, textOf } from './settings.ts';
export type { AuditSettings, ProbeSettings } from './settings.ts';
export { sharedOptions } from './shared-options.ts';
