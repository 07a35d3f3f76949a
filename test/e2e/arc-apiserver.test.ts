import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { configMaps } from '@arc/api/core';
import { installedAccounts, roles } from '@arc/api/rbac';
import type { KubeObject } from '@arc/apimachinery';
import { createAuthority } from '@arc/pki';
import { eventually, freePort } from '@arc/testkit';
import { startProgram } from './support/program.ts';
import { startStandInCluster } from './support/stand-in-cluster.ts';

const kubeSystem = 'kube-system';

/** As kube-apiserver makes them; the stand-in is none. */
const reader = {
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  metadata: { name: 'extension-apiserver-authentication-reader', namespace: kubeSystem },
  rules: [
    {
      ...{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['extension-apiserver-authentication'] },
      verbs: ['get', 'list', 'watch'],
    },
  ],
};
const authority = createAuthority({ commonName: 'front proxy' }).certPem;
const configuration = {
  ...{ apiVersion: 'v1', kind: 'ConfigMap' },
  metadata: { name: 'extension-apiserver-authentication', namespace: kubeSystem },
  data: {
    'client-ca-file': authority,
    'requestheader-client-ca-file': authority,
    'requestheader-allowed-names': '[]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  },
};

test('the API server of a cluster is up while its storage, its rights or the configuration of the cluster is missing, says which, and recovers', async () => {
  await using cluster = await startStandInCluster();
  const kubeconfig = await cluster.kubeconfig(`system:serviceaccount:arc-system:${installedAccounts.apiserver}`);
  const database = join(cluster.folder, 'arc.db');
  await writeFile(database, 'this is no database, but it is long enough to be taken for one if nobody looks at it');
  const port = await freePort();
  await using server = startProgram('apiserver', [
    ...['--kubeconfig', kubeconfig, '--storage', `sqlite:${database}`, '--listen', `127.0.0.1:${port}`, '--shutdown-delay', '0s'],
  ]);
  const get = async (path: string): Promise<string> => {
    const outgoing = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return `${response.statusCode} ${await text(response)}`;
  };
  const says = (what: RegExp): Promise<unknown> =>
    eventually(async () => what.test(await get('/readyz')), { what: `${what} of /readyz; the log:\n${server.output()}` });

  await says(/^500 \[-\]storage failed: .*arc\.db/);
  assert.equal(await get('/livez'), '200 ok');
  assert.match(server.output(), /"message":"the storage: trying again until it is mended","component":"storage","code":"\w+"/);
  await rm(database);
  await server.says('the storage: mended');

  await says(
    /^500 [^]*\[-\]extension-authentication failed: the ConfigMap kube-system\/extension-apiserver-authentication could not be read/,
  );
  await says(/\[-\]informer-sync failed: the namespaces of the cluster have not been listed yet/);
  assert.equal(await get('/livez'), '200 ok');
  await cluster.install('team');
  await cluster.client.create<KubeObject>(roles, reader);
  await cluster.client.create<KubeObject>(configMaps, configuration);
  await says(/^200 ok$/);
  assert.equal(await server.stop(), 0);
});
