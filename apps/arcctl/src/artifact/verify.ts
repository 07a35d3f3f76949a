import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTablePrinter, type ExitCode, exitCodes } from '@arc/cli-kit';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { attribute, type Manifest, type ReadableRepository, TransferError } from '@arc/transfer';
import {
  authoritiesOf,
  type Authority,
  type Check,
  collectEvidence,
  examine,
  type Finding,
  keyAuthority,
  parsePolicy,
  parsePublicKey,
  type Policy,
  ruleFor,
  verifyImage,
} from '@arc/trust';
import { type Invocation, textOption, textsOption } from '../command.ts';
import { parseArtifactReference } from './artifact-reference.ts';
import { Registries } from './registries.ts';

/** What was found out, as `-o json` prints it. */
interface Verification {
  readonly reference: string;
  readonly digest: string;
  /** `passed` only where something was demanded and everything demanded is there. */
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly checks: readonly Check[];
  readonly evidence: readonly Finding[];
}

/** `arcctl artifact verify REF`: needs no server, and no network but that registry. */
export async function verifyArtifactEvidence(invocation: Invocation): Promise<ExitCode> {
  const [written = ''] = invocation.args;
  const { location, repository: name, version } = parseArtifactReference(written);
  const { signal } = invocation;
  const keys = await readKeys(invocation);
  const policy = await readPolicyFile(invocation);
  using registries = await Registries.of(invocation);
  const repository = await registries.source(location, name);
  const root = await fetchRoot(repository, version, signal);
  const source = textOption(invocation, 'source') ?? repository.name;
  const checks = policy === undefined ? [] : await verifyImage(repository, root, policy, { origin: 'destination', source, signal });
  const authorities = [...keys, ...(policy === undefined ? [] : authoritiesOf(ruleFor(policy, source)))];
  const evidence: Finding[] = [];
  for (const subject of [root, ...(await childrenOf(repository, root, signal))]) {
    const collected = await collectEvidence(repository, subject, { origin: 'destination', signal });
    evidence.push(...examine(collected.evidence, authorities));
    for (const refused of collected.refused) invocation.streams.stderr.write(`warning: the registry does not let ${refused} be read\n`);
  }
  const verification: Verification = {
    reference: `${repository.name}${version.includes(':') ? '@' : ':'}${version}`,
    digest: root.descriptor.digest,
    result: resultOf(
      checks,
      evidence.filter(({ subject }) => subject === root.descriptor.digest),
      policy,
      keys,
    ),
    checks,
    evidence,
  };
  print(invocation, verification);
  return verification.result === 'passed' ? exitCodes.ok : exitCodes.failure;
}

/**
 * With a policy, what its checks come to; with keys only, whether one of them signed the artifact itself or a statement about it, and not
 * only a platform of it. Without either nothing was demanded, so nothing is passed.
 */
function resultOf(
  checks: readonly Check[],
  ofItself: readonly Finding[],
  policy: Policy | undefined,
  keys: readonly Authority[],
): Verification['result'] {
  const results = policy === undefined ? ofItself.map(({ result }) => result) : checks.map(({ result }) => result);
  if (policy === undefined && keys.length === 0) return 'skipped';
  if (policy === undefined) return results.includes('passed') ? 'passed' : 'failed';
  if (results.some((result) => result === 'failed' || result === 'error')) return 'failed';
  return results.includes('passed') ? 'passed' : 'skipped';
}

async function fetchRoot(repository: ReadableRepository, version: string, signal: AbortSignal): Promise<Manifest> {
  const root = await repository.fetchManifest(version, { signal });
  if (root !== undefined) return root;
  throw new TransferError('NotFound', `there is no ${version} in ${repository.name}`, {
    status: 404,
    hint: 'Look at what there is with arcctl artifact list.',
  });
}

async function childrenOf(repository: ReadableRepository, root: Manifest, signal: AbortSignal): Promise<readonly Manifest[]> {
  const manifests = await Promise.all(
    root.children.map(({ digest }) =>
      attribute('destination', 'read manifest', `${repository.name}@${digest}`, signal, () => repository.fetchManifest(digest, { signal })),
    ),
  );
  return manifests.filter((manifest) => manifest !== undefined);
}

async function readKeys(invocation: Invocation): Promise<readonly Authority[]> {
  return Promise.all(
    textsOption(invocation, 'key').map(async (file) => keyAuthority(parsePublicKey((await read(file)).toString('utf8'), file), file)),
  );
}

async function readPolicyFile(invocation: Invocation): Promise<Policy | undefined> {
  const file = textOption(invocation, 'policy');
  if (file === undefined) return undefined;
  const directory = textOption(invocation, 'trustDir') ?? join(file, '..');
  return parsePolicy((await read(file)).toString('utf8'), async (name) => {
    try {
      return await readFile(join(directory, name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw unreadable(join(directory, name), error);
    }
  });
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): ArcError {
  return new ArcError('TrustUnreadable', `cannot read ${file}: ${messageOf(error)}`, { hint: 'Check the path and who may read it.' });
}

function print(invocation: Invocation, verification: Verification): void {
  const { stdout, stderr } = invocation.streams;
  if (textOption(invocation, 'output') === 'json') {
    stdout.write(`${JSON.stringify(verification, null, 2)}\n`);
    return;
  }
  const { reference, digest, checks, evidence, result } = verification;
  stdout.write(`${reference} is ${digest}\n`);
  if (evidence.length === 0) stdout.write('No evidence was found beside it: no signatures, attestations, SBOMs or receipts.\n');
  else {
    const rows = evidence.map((finding) => [
      finding.kind,
      finding.result,
      subjectOf(finding, digest),
      finding.type,
      finding.where,
      finding.detail,
    ]);
    createTablePrinter(
      stdout,
      ['Kind', 'Result', 'Of', 'Type', 'Where', 'Detail'].map((name) => ({ name })),
    ).print(rows);
  }
  for (const check of checks) stdout.write(`${check.result.padEnd(8)} ${check.name}: ${check.detail}\n`);
  if (result === 'skipped')
    stderr.write('Nothing was demanded, so nothing is verified: name a key with --key, or a policy with --policy.\n');
}

function subjectOf({ subject }: Finding, root: string): string {
  return subject === root ? 'itself' : `platform ${subject.slice(0, 19)}`;
}
