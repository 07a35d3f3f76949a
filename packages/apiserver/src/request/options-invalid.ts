import { type ApiStatusError, type FieldError, statusError } from '@arc/apimachinery';

type OptionsKind = 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

/** 422 about the options of a request rather than its object (wire contract 2.3). */
export function optionsInvalid(kind: OptionsKind, errors: readonly FieldError[]): ApiStatusError {
  return statusError.invalid({ group: 'meta.k8s.io', kind }, '', errors);
}
