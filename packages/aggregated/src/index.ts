export { connectToCluster } from './connect-to-cluster.ts';
export type { ClusterAccess, ClusterAccessOptions } from './connect-to-cluster.ts';
