import type { Shape } from './shape.ts';

const list = (shape: Shape): Shape => ({ list: shape });
const object = (fields: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape => ({ fields, required });

const key = object({ name: 'string', key: 'string', optional: 'boolean' }, ['name', 'key']);
const named = object({ name: 'string', optional: 'boolean' }, ['name']);
const items = list(object({ key: 'string', path: 'string', mode: 'number' }, ['key', 'path']));

const valueFrom = object({ path: 'string', default: 'text', parameter: 'string', configMapKeyRef: key });
const parameter = object({ name: 'string', value: 'text', default: 'text', valueFrom, enum: list('text'), globalName: 'string' }, ['name']);
const parameters = object({ parameters: list(parameter), artifacts: list('any') });

const volume = object(
  {
    name: 'string',
    secret: object({ secretName: 'string', items, defaultMode: 'number', optional: 'boolean' }, ['secretName']),
    configMap: object({ name: 'string', items, defaultMode: 'number', optional: 'boolean' }, ['name']),
    emptyDir: object({}),
    projected: object(
      {
        defaultMode: 'number',
        sources: list(
          object({
            secret: object({ name: 'string', items, optional: 'boolean' }, ['name']),
            configMap: object({ name: 'string', items, optional: 'boolean' }, ['name']),
          }),
        ),
      },
      ['sources'],
    ),
  },
  ['name'],
);

const container: Readonly<Record<string, Shape>> = {
  image: 'string',
  command: list('string'),
  args: list('string'),
  workingDir: 'string',
  env: list(
    object(
      {
        name: 'string',
        value: 'text',
        valueFrom: object({ secretKeyRef: key, configMapKeyRef: key, fieldRef: object({ fieldPath: 'string' }, ['fieldPath']) }),
      },
      ['name'],
    ),
  ),
  envFrom: list(object({ prefix: 'string', secretRef: named, configMapRef: named })),
  volumeMounts: list(object({ name: 'string', mountPath: 'string', subPath: 'string', readOnly: 'boolean' }, ['name', 'mountPath'])),
};

const retryStrategy = object({
  limit: 'text',
  retryPolicy: 'string',
  backoff: object({ duration: 'text', factor: 'text', cap: 'text', maxDuration: 'text' }),
});

const step = object(
  {
    name: 'string',
    template: 'string',
    arguments: parameters,
    when: 'string',
    continueOn: object({ error: 'boolean', failed: 'boolean' }),
  },
  ['name'],
);

const metadata = object({ labels: { map: 'string' }, annotations: { map: 'string' } });

const template = object(
  {
    name: 'string',
    inputs: parameters,
    outputs: parameters,
    steps: list(list(step)),
    script: object({ ...container, source: 'string' }, ['image', 'source']),
    container: object(container, ['image']),
    suspend: object({ duration: 'text' }),
    retryStrategy,
    activeDeadlineSeconds: 'text',
    timeout: 'string',
    volumes: list(volume),
    metadata,
  },
  ['name'],
);

/** What the engine reads of a Workflow's or template's spec. */
export const workflowSpecShape: Shape = object({
  entrypoint: 'string',
  arguments: parameters,
  templates: list(template),
  workflowTemplateRef: object({ name: 'string', clusterScope: 'boolean' }, ['name']),
  volumes: list(volume),
  volumeClaimTemplates: list(object({ metadata: object({ name: 'string' }, ['name']) }, ['metadata'])),
  serviceAccountName: 'string',
  retryStrategy,
  activeDeadlineSeconds: 'number',
  priority: 'number',
  shutdown: 'string',
  suspend: 'boolean',
  workflowMetadata: metadata,
  podMetadata: metadata,
});
