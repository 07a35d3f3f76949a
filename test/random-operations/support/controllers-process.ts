import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createArcControllers } from '@arc/arc-controllers';
import { startControllers } from '@arc/controller';
import { lineLogger } from '@arc/kernel';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import { createWorkflowEngine } from '@arc/workflows';
import { releaseFile, scriptedSteps } from './scripted-steps.ts';

// ARC's controllers and the workflow engine with scripted steps, as a process of its own that can be killed.
// Argument: the directory of the server.

const [directory = ''] = process.argv.slice(2);
const logger = lineLogger((line) => process.stdout.write(line));
process.on('disconnect', () => process.exit());

const kubeconfig = join(directory, 'kubeconfig');
const client = createKubeClient(
  await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }])),
  {
    userAgent: 'arc-controllers',
    multiplex: true,
  },
);
const arc = createArcControllers({
  client,
  digestKey: Buffer.alloc(32, 'a key that stays the same'),
  logger: logger.child({ component: 'arc' }),
  limits: { maxActiveWorkflows: 30, orderStatusIntervalMs: 50, progressIntervalMs: 100 },
});
const running = startControllers(arc.definitions, { logger: logger.child({ component: 'controllers' }) });
const runner = scriptedSteps(() => existsSync(join(directory, releaseFile)));
const ready = Promise.withResolvers<void>();
const engine = createWorkflowEngine({
  client,
  runner,
  logger: logger.child({ component: 'engine' }),
  limits: { maxRunningPods: 1000 },
});
const never = new AbortController();
engine.run(never.signal, { onReady: ready.resolve }).catch((error: unknown) => {
  logger.error('the engine has failed', { error });
  process.exit(1);
});
await Promise.all([running.ready, ready.promise]);
process.send?.({ ready: 'controllers' });
