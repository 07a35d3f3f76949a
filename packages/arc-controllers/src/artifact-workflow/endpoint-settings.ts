import type { Volume, WorkflowSpec } from '@arc/api/argo';
import type { ArtifactWorkflow, Endpoint } from '@arc/api/arc';
import { destinationSecretVolume, referenceName, sourceSecretVolume } from '@arc/api/arc';
import type { RunContext } from './context.ts';

/**
 * Tells a Workflow how its Endpoints want to be talked to: TLS settings and rates as parameters, each only where it is set, and the
 * client certificate beside the credentials in the same volume, so that templates need not know of it. Rates are no part of what
 * decides the outcome, so they are not in the ArtifactWorkflow: every Workflow gets those of the time it starts.
 */
export function withEndpointSettings(context: RunContext, run: ArtifactWorkflow, spec: WorkflowSpec): WorkflowSpec {
  const endpointOf = (reference: { name?: string } | undefined): Endpoint | undefined =>
    context.endpoints.get(run.metadata.namespace, referenceName(reference) ?? '');
  const source = endpointOf(run.spec?.srcRef);
  const destination = endpointOf(run.spec?.dstRef);
  const given = spec.arguments?.parameters ?? [];
  const isBringingVolumes = spec.volumes !== undefined;
  const sides = [settingsOf('src', source, isBringingVolumes), settingsOf('dst', destination, isBringingVolumes)];
  const settings = sides.flat().filter(
    // A type's own parameter of the same name wins, as with all others.
    ({ name }) => !given.some((parameter) => parameter.name === name),
  );
  const volumes = spec.volumes?.map((volume) => {
    if (volume.name === sourceSecretVolume) return withCertificate(volume, source);
    return volume.name === destinationSecretVolume ? withCertificate(volume, destination) : volume;
  });
  return {
    ...spec,
    ...(settings.length > 0 && { arguments: { ...spec.arguments, parameters: [...given, ...settings] } }),
    ...(volumes !== undefined && { volumes }),
  };
}

function settingsOf(side: 'src' | 'dst', endpoint: Endpoint | undefined, isBringingVolumes: boolean): { name: string; value: string }[] {
  const { tls, maxBytesPerSecond } = endpoint?.spec ?? {};
  const values = {
    CA: tls?.ca ?? '',
    ServerName: tls?.serverName ?? '',
    MaxBytesPerSecond: String(maxBytesPerSecond ?? ''),
    // Where templates bring the volumes, they need the name.
    TLSSecretName: isBringingVolumes ? '' : (referenceName(tls?.secretRef) ?? ''),
  };
  return Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [{ name: `${side}${name}`, value }]));
}

/** The last Secret wins where both have a key. */
function withCertificate(volume: Volume, endpoint: Endpoint | undefined): Volume {
  const certificate = referenceName(endpoint?.spec?.tls?.secretRef);
  const credentials = volume.secret?.secretName;
  if (certificate === undefined || certificate === credentials) return volume;
  if (credentials === undefined) return { name: volume.name, secret: { secretName: certificate } };
  return { name: volume.name, projected: { sources: [credentials, certificate].map((name) => ({ secret: { name } })) } };
}
