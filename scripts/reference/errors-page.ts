import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code as codeText, page, prose, table } from './page.ts';
import type { ReferencePage } from './page.ts';
import { constructorCalls, literalText, objectMembers } from './source-calls.ts';

interface ErrorSource {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Classes whose first argument is the code, and those that have one code of their own and begin with the message. */
const coded = new Set(['ArcError', 'TerminalError', 'TransferError', 'StorageError', 'WorkflowError']);
const fixed: Readonly<Record<string, string>> = { UsageError: 'Usage', WhenSyntaxError: 'InvalidWhen', WhenTypeError: 'InvalidWhen' };

/** The errors raised in the sources below `root`, found by looking for the constructor calls of ARC's error classes. */
export function errorsPage(root: string): ReferencePage {
  const files = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts') && !file.includes('/testing/') && !file.startsWith('packages/testkit/'),
  );
  const found = files.toSorted().flatMap((file) => errorsIn(readFileSync(join(root, file), 'utf8')));
  const rows = new Map(found.map((error) => [`${error.code}\n${error.message}\n${error.hint}`, error]));
  return page('errors.md', [
    '# Error codes',
    [
      'arcctl prints `error[CODE]: MESSAGE` and, where there is something to do, `hint: ...`; with `-o json` the same as one JSON object.',
      'This list is read off the sources: names in angle brackets stand for what varies, `…` for what is computed.',
      'Errors whose code and message are both computed are not in it.',
      'Errors of the API server have the reasons of Kubernetes (`NotFound`, `Invalid`, `AlreadyExists`, ...) as their codes and are not listed.',
      'The error of one side of a transfer begins with `source:` or `destination:` and what was being done, then goes on as below.',
    ].join('\n'),
    table(
      ['code', 'message', 'what to do'],
      [...rows.values()]
        .toSorted((a, b) => compare(a.code, b.code) || compare(a.message, b.message) || compare(a.hint, b.hint))
        .map(({ code, message, hint }) => [codeText(code), codeText(message), prose(hint)]),
    ),
  ]);
}

/** Exported for its test. Calls whose code is not written out pass on an error that is listed elsewhere. */
export function errorsIn(source: string): ErrorSource[] {
  return constructorCalls(source, new Set([...coded, ...Object.keys(fixed)])).flatMap((call) => {
    const own = fixed[call.className];
    const [first = '', ...others] = call.arguments;
    const code = own ?? (first.startsWith("'") ? literalText(first) : undefined);
    if (code === undefined) return [];
    const [message = '', options = ''] = own === undefined ? others : call.arguments;
    const hint = objectMembers(options).get('hint') ?? '';
    const text = { message: literalText(message) ?? '…', hint: hint === '' ? '' : (literalText(hint) ?? '…') };
    return text.message === '…' && text.hint.length < 2 ? [] : [{ code, ...text }];
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
