import type { KindDefinition } from '@arc/apimachinery';
import { configMapDefinition } from './config-map.ts';
import { eventDefinition } from './event.ts';
import { leaseDefinition } from './lease.ts';
import { namespaceDefinition } from './namespace.ts';
import { podDefinition } from './pod.ts';
import { secretDefinition } from './secret.ts';
import { selfSubjectAccessReviewDefinition } from './self-subject-access-review.ts';
import { selfSubjectReviewDefinition } from './self-subject-review.ts';
import { selfSubjectRulesReviewDefinition } from './self-subject-rules-review.ts';
import { serviceAccountDefinition } from './service-account.ts';
import { localSubjectAccessReviewDefinition, subjectAccessReviewDefinition } from './subject-access-review.ts';
import { tokenReviewDefinition } from './token-review.ts';

/** The core kinds a standalone server serves. Behind an aggregation layer the cluster has its own. */
export const coreKinds: readonly KindDefinition[] = [
  namespaceDefinition,
  secretDefinition,
  configMapDefinition,
  serviceAccountDefinition,
  eventDefinition,
  podDefinition,
  leaseDefinition,
  selfSubjectAccessReviewDefinition,
  selfSubjectRulesReviewDefinition,
  selfSubjectReviewDefinition,
  subjectAccessReviewDefinition,
  localSubjectAccessReviewDefinition,
  tokenReviewDefinition,
];
