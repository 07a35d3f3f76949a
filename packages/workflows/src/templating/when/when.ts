import { messageOf } from '@arc/kernel';
import { WorkflowError } from '../../model/workflow-error.ts';
import { evaluate } from './evaluate.ts';
import { parse } from './parse.ts';
import { tokenize } from './tokens.ts';

/**
 * Evaluates a `when` whose tags have been replaced. Absent means yes. A text that is not an expression, or whose result
 * is not boolean, is an error and never "no" (1.5).
 *
 * @throws WorkflowError carrying the substituted expression
 */
export function evaluateWhen(when: string | undefined): boolean {
  if (when === undefined || when === '') return true;
  const result = evaluateOrThrow(when);
  if (typeof result !== 'boolean') {
    throw new WorkflowError('InvalidWhen', `Expected boolean evaluation for '${when}'. Got ${JSON.stringify(result)}`);
  }
  return result;
}

function evaluateOrThrow(when: string): unknown {
  let expression;
  try {
    expression = parse(tokenize(when));
  } catch (error) {
    throw new WorkflowError('InvalidWhen', `Invalid 'when' expression '${when}': ${messageOf(error)}`, { cause: error });
  }
  try {
    return evaluate(expression);
  } catch (error) {
    throw new WorkflowError('InvalidWhen', `Failed to evaluate 'when' expression '${when}': ${messageOf(error)}`, { cause: error });
  }
}
