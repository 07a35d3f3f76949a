import type { AnyArtifactType, ArtifactWorkflow, Endpoint } from '@arc/api/arc';
import { configDigestAnnotation, configInputsAnnotation, referenceName } from '@arc/api/arc';
import type { LocalReference } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { stringifyJson } from '@arc/apimachinery';
import { readIfThere } from '@arc/kube-client';
import { createHmac } from 'node:crypto';
import type { RunContext } from '../artifact-workflow/context.ts';
import { canonicalJson } from '../identity/canonical-json.ts';
import { configSecretName } from '../identity/names.ts';
import { recordedDigest, secretDigest } from '../identity/secret-digest.ts';
import type { SecretRecord } from '../informers/secret-record.ts';
import { deleteQuietly } from '../metadata/delete-quietly.ts';
import { controllerReference, isControlledBy } from '../metadata/owner.ts';
import { isDeleting } from '../metadata/references.ts';
import { configDocument } from './config-document.ts';
import type { ConfigInputs, ConfigSide } from './config-document.ts';

/** The configuration of a run is in place, or a Secret that is not ours has its name. */
export type ConfigState = 'ready' | 'name-taken';

/**
 * Makes the Secret with the configuration of a run, and makes it anew when what it is made of has changed or somebody has
 * edited it. In a steady state nothing is read: keyed digests on the Secret tell.
 */
export async function ensureConfig(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<ConfigState> {
  const { namespace = '' } = run.metadata;
  const name = configSecretName(run.metadata.name ?? '');
  const known = context.secrets.get(namespace, name);
  const inputs = inputsOf(context, run);
  const fingerprint = fingerprintOf(context.digestKey, inputs);
  if (known !== undefined && isControlledBy(known, run) && isIntact(known, fingerprint)) return 'ready';

  const secret = await render(context, run, { name, inputs, fingerprint }, signal);
  const live = await readIfThere<Secret>(context.client, secrets, { namespace, name }, signal);
  if (live === undefined) {
    await context.client.create(secrets, secret, { signal });
    return 'ready';
  }
  if (!isControlledBy(live, run) || isDeleting(live)) return 'name-taken';
  if (isSame(live, secret)) return 'ready';
  const { resourceVersion } = live.metadata;
  const metadata = { ...secret.metadata, ...(resourceVersion !== undefined && { resourceVersion }) };
  await context.client.update(secrets, { ...secret, metadata }, { signal });
  return 'ready';
}

/** Removes the configuration of a run that has ended: credentials are not kept where nobody needs them. */
export async function removeConfig(context: RunContext, run: ArtifactWorkflow, signal: AbortSignal): Promise<void> {
  const known = context.secrets.get(run.metadata.namespace, configSecretName(run.metadata.name ?? ''));
  if (known === undefined || isDeleting(known) || !isControlledBy(known, run)) return;
  await deleteQuietly(context.client, secrets, known, signal);
}

function inputsOf(context: RunContext, run: ArtifactWorkflow): ConfigInputs<SecretRecord> {
  const { namespace = '' } = run.metadata;
  const spec = run.spec ?? {};
  const side = (reference: LocalReference | undefined, mounted: LocalReference | undefined): ConfigSide<SecretRecord> | undefined => {
    const endpoint = context.endpoints.get(namespace, referenceName(reference) ?? '');
    if (endpoint === undefined) return undefined;
    const secretOf = (named: LocalReference | undefined): SecretRecord | undefined => {
      const secretName = referenceName(named);
      return secretName === undefined ? undefined : context.secrets.get(namespace, secretName);
    };
    return { endpoint, secret: secretOf(mounted), tlsSecret: secretOf(endpoint.spec?.tls?.secretRef) };
  };
  return {
    spec,
    type: typeOf(context, namespace, spec.type ?? ''),
    source: side(spec.srcRef, spec.srcSecretRef),
    destination: side(spec.dstRef, spec.dstSecretRef),
  };
}

/** The type a run names; one of the namespace wins. */
export function typeOf(context: RunContext, namespace: string, name: string): AnyArtifactType | undefined {
  return context.artifactTypes.get(namespace, name) ?? context.clusterArtifactTypes.get(undefined, name);
}

/** Keyed, so that it tells nothing about credentials and cannot be forged by who edits the Secret. */
function fingerprintOf(key: Uint8Array, { spec, type, source, destination }: ConfigInputs<SecretRecord>): string {
  const side = (of: ConfigSide<SecretRecord> | undefined): unknown =>
    of === undefined ? undefined : [of.endpoint.metadata.name, ...connectionOf(of.endpoint), of.secret?.digest, of.tlsSecret?.digest];
  const parts = [spec.type, spec.parameters, type?.spec?.rules, side(source), side(destination)];
  return createHmac('sha256', key)
    .update(`config\n${canonicalJson(parts)}`)
    .digest('hex')
    .slice(0, 32);
}

function connectionOf({ spec = {} }: Endpoint): unknown[] {
  return [spec.type, spec.remoteURL, spec.tls?.ca, spec.tls?.serverName, spec.maxBytesPerSecond];
}

function isIntact({ metadata: { annotations }, recordedDigest }: SecretRecord, fingerprint: string): boolean {
  return annotations?.[configInputsAnnotation] === fingerprint && annotations[configDigestAnnotation] === recordedDigest;
}

async function render(
  context: RunContext,
  run: ArtifactWorkflow,
  wanted: { readonly name: string; readonly inputs: ConfigInputs<SecretRecord>; readonly fingerprint: string },
  signal: AbortSignal,
): Promise<Secret> {
  const { namespace = '' } = run.metadata;
  const { name, inputs, fingerprint } = wanted;
  const whole = async (side: ConfigSide<SecretRecord> | undefined): Promise<ConfigSide<Secret> | undefined> => {
    if (side === undefined) return undefined;
    const read = async (record: SecretRecord | undefined): Promise<Secret | undefined> => {
      const secretName = record?.metadata.name;
      return secretName === undefined
        ? undefined
        : await readIfThere<Secret>(context.client, secrets, { namespace, name: secretName }, signal);
    };
    return { ...side, secret: await read(side.secret), tlsSecret: await read(side.tlsSecret) };
  };
  const document = configDocument({ ...inputs, source: await whole(inputs.source), destination: await whole(inputs.destination) });
  const data = { 'config.json': Buffer.from(`${stringifyJson(document, 2)}\n`).toString('base64') };
  const digest = secretDigest(context.digestKey, { type: 'Opaque', data });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      ownerReferences: [controllerReference(run)],
      annotations: {
        [configInputsAnnotation]: fingerprint,
        [configDigestAnnotation]: recordedDigest(context.digestKey, { namespace, name }, digest),
      },
    },
    type: 'Opaque',
    data,
  };
}

function isSame(live: Secret, wanted: Secret): boolean {
  const essence = ({ metadata, data }: Secret): string =>
    canonicalJson([data, metadata.annotations?.[configInputsAnnotation], metadata.annotations?.[configDigestAnnotation]]);
  return essence(live) === essence(wanted);
}
