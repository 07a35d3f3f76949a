import { didYouMean, escapeControls } from '@arc/cli-kit';
import { ArcError } from '@arc/kernel';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { isObjectFormat, printObjects, qualifiedName } from '../output/print-objects.ts';
import { effectiveTypes } from './effective-types.ts';

/**
 * `arcctl type show NAME`: the type that an Order of the namespace gets by that name.
 *
 * @throws ArcError `NotFound`
 */
export async function showType(invocation: Invocation): Promise<void> {
  const { stdout } = invocation.streams;
  const [name = ''] = invocation.args;
  const types = await effectiveTypes(invocation);
  const found = types.find(({ object }) => object.metadata.name === name);
  if (found === undefined) {
    const meant = didYouMean(name, new Set(types.map(({ object }) => object.metadata.name ?? '')));
    const hint = meant === undefined ? 'arcctl type list shows those there are.' : `Did you mean ${meant}?`;
    throw new ArcError('NotFound', `there is no artifact type ${JSON.stringify(name)}`, { hint });
  }
  const { object, type, scope, from, to, template } = found;
  const format = textOption(invocation, 'output');
  if (isObjectFormat(format)) {
    await printObjects(stdout, type, [object], format, false);
    return;
  }
  const { parameters = [], priority, renderConfig, ttlAfterFinished, ttlAfterFailed } = object.spec ?? {};
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ['Type', qualifiedName(type, object)],
    ['Scope', scope],
    ['Sources', from],
    ['Destinations', to],
    ['Template', template],
    ['Priority', priority],
    ['Configuration', renderConfig === true ? 'as a Secret of each run' : undefined],
    ['Succeeded runs kept', ttlAfterFinished],
    ['Failed runs kept', ttlAfterFailed],
    ...parameters.map((parameter) => ['Parameter', `${parameter.name}=${parameter.value ?? ''}`] as const),
  ];
  for (const [label, value] of facts) {
    if (value !== undefined) stdout.write(`${`${label}:`.padEnd(22)}${escapeControls(String(value))}\n`);
  }
}
