import type { KubeObject } from '../meta/types.ts';
import type { ScalePaths } from '../scale/scale-paths.ts';
import type { StructuralSchema } from '../schema/structural.ts';
import type { FieldError } from '../status/field-error.ts';

/** What decides how names of a kind are checked. */
export type NameRule = 'dns1123subdomain' | 'dns1123label' | 'path-segment';

/** A column of the server-side Table; the first one of a kind is always the name and is not listed. */
export interface ColumnDefinition<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly description: string;
  readonly format?: string;
  /** 0 (default) = always shown, above = only with `-o wide`. */
  readonly priority?: number;
  /** `date` columns return the RFC 3339 text; undefined prints as `<none>` (dates: `<unknown>`). */
  value(object: T): string | number | bigint | boolean | undefined;
}

/**
 * What a schema cannot say about a kind. All functions are pure; the `prepare` ones change the object they are given.
 * Generation, uid, timestamps, status reset and the metadata rules are the server's own work, not a strategy's.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  readonly nameRule?: NameRule;
  prepareForCreate?(object: T): void;
  prepareForUpdate?(object: T, old: T): void;
  /** Cross-field rules beyond the schema; runs on create and on update, when `old` is what is stored. */
  validate?(object: T, old?: T): readonly FieldError[];
  /** Immutability and transitions; runs after `validate` on update. */
  validateUpdate?(object: T, old: T): readonly FieldError[];
  validateStatusUpdate?(object: T, old: T): readonly FieldError[];
  /** Risky but legal input: each text becomes a `Warning` header. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** PUT without resourceVersion overwrites. Default: false. */
  readonly allowUnconditionalUpdate?: boolean;
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** Decodes the body of one protobuf message of a core kind into its JSON form. */
export type ProtobufDecoder = (message: Uint8Array) => Record<string, unknown>;

/** A kind is data. Adding one to a server is adding one value of this type. */
export interface KindDefinition<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly names: {
    readonly plural: string;
    readonly singular: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  };
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  /** Top-level fields besides apiVersion, kind and metadata: `spec`, `status`, `data`, ... */
  readonly schema: StructuralSchema;
  readonly strategy?: Strategy<T>;
  readonly columns?: readonly ColumnDefinition<T>[];
  readonly subresources?: {
    readonly status?: true;
    /** Serves `/scale` as autoscaling/v1 Scale, for `kubectl scale` and autoscalers. */
    readonly scale?: ScalePaths;
  };
  /** Dotted paths of scalar fields (`spec.type`) usable in field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields?: readonly string[];
  /** Default: all. A kind without `get` is never stored (review kinds); the server is given a handler for it. */
  readonly verbs?: readonly Verb[];
  /** Objects that nobody has written for so long are removed, milliseconds; soon after, and without regard to finalizers. */
  readonly expireAfterMs?: number;
  /** Accepts strategic merge patch and says so in OpenAPI. Only core kinds do. */
  readonly strategicMergePatch?: true;
  /** Accepts protobuf request bodies. Only core and authorization kinds do. */
  readonly protobuf?: ProtobufDecoder;
  /**
   * Other group/versions under which the same stored objects are served (core events and events.k8s.io). The stored
   * form is this definition's own; the two functions convert whole objects and must be inverse.
   */
  readonly servedAlsoAs?: readonly {
    readonly definition: KindDefinition;
    readonly fromStored: (object: KubeObject) => KubeObject;
    readonly toStored: (object: KubeObject) => KubeObject;
  }[];
}
