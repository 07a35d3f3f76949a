import type { CronWorkflow } from '@arc/api/argo';
import { WorkflowError } from '../model/workflow-error.ts';
import { substituteTags, tagsIn } from '../templating/simple-tags.ts';
import { evaluateWhen } from '../templating/when/when.ts';

/**
 * Evaluates `spec.when` of a CronWorkflow, in which tags such as `{{cronworkflow.failed}}` have been replaced; absent means
 * yes.
 *
 * @throws WorkflowError when it is not an expression this engine can evaluate
 */
export function mayRun(cron: CronWorkflow): boolean {
  const when = cron.spec.when ?? '';
  const substituted = substituteTags(when, scopeOf(cron));
  const [left] = tagsIn(substituted);
  if (left?.startsWith('=') === true) throw unsupported(`expression tags are not supported by the embedded engine: {{${left}}}`);
  if (left !== undefined) throw unsupported(`there is no {{${left}}}`);
  return evaluateWhen(substituted);
}

const identifiers = /(["'])(?:\\.|(?!\1)[^\\])*\1|\bcronworkflow\.(name|namespace|failed|succeeded)\b/g;

/**
 * Evaluates `spec.stopStrategy.expression`: comparisons of `cronworkflow.failed`, `.succeeded`, `.name` and `.namespace`;
 * absent means no.
 *
 * @throws WorkflowError when it is not an expression this engine can evaluate
 */
export function mustStop(cron: CronWorkflow): boolean {
  const expression = cron.spec.stopStrategy?.expression ?? '';
  if (expression === '') return false;
  const { name = '', namespace = '' } = cron.metadata;
  const { failed = 0, succeeded = 0 } = cron.status ?? {};
  const values: Readonly<Record<string, string>> = {
    name: JSON.stringify(name),
    namespace: JSON.stringify(namespace),
    failed: String(failed),
    succeeded: String(succeeded),
  };
  const literal = (whole: string, _quote: string | undefined, field: string | undefined): string =>
    field === undefined ? whole : (values[field] ?? whole);
  return evaluateWhen(expression.replace(identifiers, literal));
}

function scopeOf(cron: CronWorkflow): ReadonlyMap<string, string> {
  const { name = '', namespace = '', labels = {}, annotations = {} } = cron.metadata;
  const { failed = 0, succeeded = 0, lastScheduledTime } = cron.status ?? {};
  return new Map([
    ['cronworkflow.name', name],
    ['cronworkflow.namespace', namespace],
    ['cronworkflow.labels.json', JSON.stringify(labels)],
    ['cronworkflow.annotations.json', JSON.stringify(annotations)],
    ['cronworkflow.failed', String(failed)],
    ['cronworkflow.succeeded', String(succeeded)],
    ['cronworkflow.lastScheduledTime', lastScheduledTime ?? 'nil'],
  ]);
}

function unsupported(message: string): WorkflowError {
  return new WorkflowError('InvalidWhen', message);
}
