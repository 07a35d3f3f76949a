import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argoKinds } from '@arc/api/argo';
import { decodeYaml, objectSchemaOf, prune, s, validateSchema } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, StructuralSchema } from '@arc/apimachinery';
import type { ArgoDefinitions } from '@arc/testkit';

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: { readonly kind: string; readonly plural: string; readonly singular: string; readonly shortNames?: readonly string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      readonly subresources?: { readonly status?: object };
    }[];
  };
}

const ours = ['workflows', 'cronworkflows', 'workflowtemplates', 'clusterworkflowtemplates'];
const others = ['workflowtaskresults', 'workflowtasksets', 'workflowartifactgctasks', 'workfloweventbindings'];

/** The kinds a release of Argo publishes that ARC knows, too, with their whole schemas. */
export async function publishedKinds(definitions: ArgoDefinitions): Promise<readonly KindDefinition[]> {
  return await Promise.all(ours.map((plural) => kindOf(definitions, plural)));
}

/** What a workflow-controller needs served: the kinds of ARC with the schemas of Argo, and those only Argo knows. */
export async function controllerKinds(definitions: ArgoDefinitions): Promise<readonly KindDefinition[]> {
  const [published, unknown] = await Promise.all([
    publishedKinds(definitions),
    Promise.all(others.map((plural) => kindOf(definitions, plural))),
  ]);
  return [...argoKinds.map((kind) => ({ ...kind, schema: schemaOf(published, kind) })), ...unknown, ...coreKindsOfArgo];
}

/** What is wrong with an object, as a kube-apiserver with these definitions would say: unknown fields, wrong types, what is missing. */
export function complaintsOf(object: KubeObject, kinds: readonly KindDefinition[]): string[] {
  const kind = kinds.find((candidate) => candidate.kind === object.kind);
  if (kind === undefined) return [`no definition of ${object.kind}`];
  const schema = objectSchemaOf(kind);
  const copy = structuredClone(object);
  const unknown = prune(copy as unknown as Parameters<typeof prune>[0], schema).map((path) => `unknown field ${path}`);
  return [...unknown, ...validateSchema(copy, schema, '').map(({ field, message }) => `${field}: ${message}`)];
}

const read = new Map<string, Promise<KindDefinition>>();

function kindOf(definitions: ArgoDefinitions, plural: string): Promise<KindDefinition> {
  const key = `${definitions.version}/${plural}`;
  // Reading one of these files takes half a second.
  const kind = read.get(key) ?? readKind(definitions, plural);
  read.set(key, kind);
  return kind;
}

async function readKind({ full }: ArgoDefinitions, plural: string): Promise<KindDefinition> {
  const { value } = decodeYaml(await readFile(join(full, `argoproj.io_${plural}.yaml`), 'utf8'));
  return kindOfDefinition(value, 'v1alpha1');
}

/** One version of what a CustomResourceDefinition defines, with its whole schema. */
export function kindOfDefinition(definition: unknown, wanted: string): KindDefinition {
  const { spec } = definition as CustomResourceDefinition;
  const version = spec.versions.find(({ name }) => name === wanted);
  if (version === undefined) throw new Error(`the definition of ${spec.names.plural} has no version ${wanted}`);
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...properties } = version.schema.openAPIV3Schema.properties ?? {};
  return {
    ...{ group: spec.group, version: version.name, kind: spec.names.kind, scope: spec.scope, names: spec.names },
    description: `As it is published.`,
    schema: { type: 'object', properties, required: version.schema.openAPIV3Schema.required ?? [] },
    ...(version.subresources?.status !== undefined && { subresources: { status: true as const } }),
  };
}

function schemaOf(kinds: readonly KindDefinition[], { kind }: KindDefinition): StructuralSchema {
  const found = kinds.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new Error(`no definition of ${kind}`);
  return found.schema;
}

/** Kinds of the core that pods and volumes of Workflows come with. */
const coreKindsOfArgo: readonly KindDefinition[] = [
  {
    ...{ group: '', version: 'v1', kind: 'PersistentVolumeClaim', scope: 'Namespaced' },
    names: { plural: 'persistentvolumeclaims', singular: 'persistentvolumeclaim', shortNames: ['pvc'] },
    description: 'A volume somebody wants.',
    schema: s.object({ spec: s.optional(s.freeForm()), status: s.optional(s.freeForm()) }),
  },
  {
    ...{ group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', scope: 'Namespaced' },
    names: { plural: 'poddisruptionbudgets', singular: 'poddisruptionbudget', shortNames: ['pdb'] },
    description: 'How many pods may go at a time.',
    schema: s.object({ spec: s.optional(s.freeForm()), status: s.optional(s.freeForm()) }),
  },
];
