export { connectToCluster } from './connect-to-cluster.ts';
export type { ClusterAccess, ClusterAccessOptions } from './connect-to-cluster.ts';
export { keepServingCertificate } from './serving-certificate/keep-serving-certificate.ts';
export type { KeptServingCertificate, ServingCertificateOptions } from './serving-certificate/keep-serving-certificate.ts';
