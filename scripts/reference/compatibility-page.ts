import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { access } from './compatibility/access.ts';
import { apply } from './compatibility/apply.ts';
import type { ContractChapter, ContractItem, Level } from './compatibility/contract.ts';
import { discovery } from './compatibility/discovery.ts';
import { kubectl } from './compatibility/kubectl.ts';
import { metadata } from './compatibility/metadata.ts';
import { representations } from './compatibility/representations.ts';
import { transport } from './compatibility/transport.ts';
import { verbs } from './compatibility/verbs.ts';
import { page, prose, table } from './page.ts';
import type { ReferencePage } from './page.ts';
import { literalText } from './source-calls.ts';

const chapters: readonly ContractChapter[] = [discovery, verbs, metadata, representations, apply, access, transport, kubectl];
const testFiles = ['packages/{apimachinery,apiserver,aggregated}/src/**/*.test.ts', 'test/e2e/*.test.ts'];

/** What of Kubernetes' wire contract is there, by the names of the tests that show it. */
export function compatibilityPage(root: string): ReferencePage {
  const names = testNames(root);
  return page('kubernetes-compatibility.md', [
    '# Compatibility with Kubernetes',
    [
      'What clients of a Kubernetes API server expect of it, and whether this one does it. The numbers are those of the contract the server was',
      'written to; the names of the tests begin with them. **pass**: the tests named here show it, and run with `npm test`. **missing**: it is',
      'not there, or not tested. **not applicable**: with the reason. MUST: a client in use breaks without it. SHOULD: something works less well.',
      'MAY: nobody depends on it.',
    ].join('\n'),
    summary(),
    ...chapters.flatMap(({ title, items }) => [
      `## ${title}`,
      table(
        ['', 'level', 'what', 'state', 'shown by, or why not'],
        items.map((item) => row(item, names)),
      ),
    ]),
  ]);
}

function summary(): string {
  const items = chapters.flatMap((chapter) => chapter.items);
  const count = (level: Level, state: string): string =>
    String(items.filter((item) => item.level === level && stateOf(item) === state).length);
  const levels: readonly Level[] = ['MUST', 'SHOULD', 'MAY'];
  return table(
    ['level', 'pass', 'missing', 'not applicable'],
    levels.map((level) => [level, count(level, 'pass'), count(level, 'missing'), count(level, 'not applicable')]),
  );
}

function stateOf({ missing, notApplicable }: ContractItem): string {
  if (missing !== undefined) return 'missing';
  return notApplicable === undefined ? 'pass' : 'not applicable';
}

function row(item: ContractItem, names: ReadonlySet<string>): string[] {
  const { id, level, what, tests = [], missing, notApplicable } = item;
  const shown = tests.flatMap((start) => testsThatBegin(start, names, item));
  if (shown.length === 0 && missing === undefined && notApplicable === undefined) {
    throw new Error(`the contract item ${id} (${what}) names neither a test nor a reason`);
  }
  const why = [...new Set(shown.map((name) => prose(name))), ...[missing ?? notApplicable ?? ''].filter((text) => text !== '')];
  return [id, level, what, stateOf(item), why.join('; ')];
}

/** @throws Error when there is none: the test was renamed or removed, and the page would claim what nothing shows. */
function testsThatBegin(start: string, names: ReadonlySet<string>, { id, what }: ContractItem): readonly string[] {
  const found = [...names].filter((name) => name.startsWith(start)).sort();
  if (found.length > 0) return found;
  throw new Error(
    `no test's name begins with ${JSON.stringify(start)}, by which scripts/reference/compatibility shows ${id} (${what}); ` +
      'name the test that shows it now, or say that it is missing',
  );
}

function testNames(root: string): ReadonlySet<string> {
  const files = testFiles.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  return new Set(files.flatMap((file) => testNamesIn(readFileSync(join(root, file), 'utf8'))));
}

/** The names of the tests in a source file, as they are written: what a template puts in is shown by its name. */
export function testNamesIn(source: string): readonly string[] {
  const literals = source.matchAll(/\b(?:test|it)\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)\s*,/g);
  return [...literals].flatMap(([, literal = '']) => literalText(literal) ?? []);
}
