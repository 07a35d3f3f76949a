import { isObject } from '../json/object.ts';
import { bool, list, map, message, present, string } from './descriptor.ts';
import type { FieldType } from './descriptor.ts';
import { objectMeta, selectorRequirement } from './meta-messages.ts';

/* Field numbers of k8s.io/api/authorization/v1 and authentication/v1. */

const selectorAttributes = message({ 1: ['rawSelector', string], 2: ['requirements', list(selectorRequirement)] });

const resourceAttributes = message({
  1: ['namespace', string],
  2: ['verb', string],
  3: ['group', string],
  4: ['version', string],
  5: ['resource', string],
  6: ['subresource', string],
  7: ['name', string],
  8: ['fieldSelector', selectorAttributes],
  9: ['labelSelector', selectorAttributes],
});

const nonResourceAttributes = message({ 1: ['path', string], 2: ['verb', string] });

const accessReviewStatus = message({
  1: ['allowed', present(bool)],
  2: ['reason', string],
  3: ['evaluationError', string],
  4: ['denied', bool],
});

export const selfSubjectAccessReview = message({
  1: ['metadata', objectMeta],
  2: ['spec', message({ 1: ['resourceAttributes', resourceAttributes], 2: ['nonResourceAttributes', nonResourceAttributes] })],
  3: ['status', accessReviewStatus],
});

const resourceRule = message({
  1: ['verbs', list(string)],
  2: ['apiGroups', list(string)],
  3: ['resources', list(string)],
  4: ['resourceNames', list(string)],
});

export const selfSubjectRulesReview = message({
  1: ['metadata', objectMeta],
  2: ['spec', message({ 1: ['namespace', string] })],
  3: [
    'status',
    message({
      1: ['resourceRules', list(resourceRule)],
      2: ['nonResourceRules', list(message({ 1: ['verbs', list(string)], 2: ['nonResourceURLs', list(string)] }))],
      3: ['incomplete', present(bool)],
      4: ['evaluationError', string],
    }),
  ],
});

/** A list wrapped in a message of its own, as protobuf maps need it. */
const texts = message({ 1: ['items', list(string)] });
const extraValue: FieldType = {
  zero: [],
  read(value) {
    const wrapped = texts.read(value, undefined);
    return isObject(wrapped) ? wrapped['items'] : undefined;
  },
};

/** SubjectAccessReviews and LocalSubjectAccessReviews. */
export const subjectAccessReview = message({
  1: ['metadata', objectMeta],
  2: [
    'spec',
    message({
      1: ['resourceAttributes', resourceAttributes],
      2: ['nonResourceAttributes', nonResourceAttributes],
      3: ['user', string],
      4: ['groups', list(string)],
      5: ['extra', map(extraValue)],
      6: ['uid', string],
    }),
  ],
  3: ['status', accessReviewStatus],
});

const userInfo = message({ 1: ['username', string], 2: ['uid', string], 3: ['groups', list(string)], 4: ['extra', map(extraValue)] });

export const selfSubjectReview = message({ 1: ['metadata', objectMeta], 2: ['status', message({ 1: ['userInfo', userInfo] })] });

export const tokenReview = message({
  1: ['metadata', objectMeta],
  2: ['spec', message({ 1: ['token', string], 2: ['audiences', list(string)] })],
  3: ['status', message({ 1: ['authenticated', bool], 2: ['user', userInfo], 3: ['error', string], 4: ['audiences', list(string)] })],
});
