import { etcd } from './support/backends.ts';
import { databaseFaults } from './support/database-faults.ts';

databaseFaults(etcd);
