import type { Finding } from './check-workflow.ts';

/** The message of a refused Workflow: every finding with template, field and reason. */
export function describeRefusal(findings: readonly Finding[]): string {
  return `The embedded engine cannot run this Workflow: ${findings.map(describeFinding).join('; ')}`;
}

/** The one line that lists accepted fields without effect. */
export function describeIgnored(findings: readonly Finding[]): string {
  const count = findings.length === 1 ? '1 field has' : `${findings.length} fields have`;
  return `${count} no effect here: ${findings.map(describeFinding).join('; ')}`;
}

function describeFinding(finding: Finding): string {
  const where = finding.template === undefined ? `spec.${finding.field}` : `template ${JSON.stringify(finding.template)} ${finding.field}`;
  return `${where}: ${finding.reason}`;
}
