import { int, message, string } from './descriptor.ts';
import { objectMeta } from './meta-messages.ts';

/** Field numbers of k8s.io/api/autoscaling/v1. */
export const scale = message({
  1: ['metadata', objectMeta],
  2: ['spec', message({ 1: ['replicas', int] })],
  3: ['status', message({ 1: ['replicas', int], 2: ['selector', string] })],
});
