import type { OptionDefinition } from './option.ts';

/** What several programs are told in the same words. */
export const sharedOptions = {
  logLevel: (defaultValue: string): OptionDefinition => ({
    flags: '--log-level <level>',
    description: 'what to log on stderr',
    choices: ['debug', 'info', 'warn', 'error'],
    defaultValue,
  }),
  storage: (without: string): readonly OptionDefinition[] => [
    {
      flags: '--storage <url>',
      description: `sqlite:FILE, postgres://USER@HOST/DATABASE, etcd://HOST:PORT or memory:; ${without}`,
    },
    { flags: '--storage-read-url <url>', description: 'postgres:// URL of a streaming replica that answers part of the reads' },
  ],
  audit: [
    { flags: '--audit-log <file>', description: 'record who asked for what, one audit.k8s.io/v1 Event a line; default: nothing' },
    { flags: '--audit-policy <file>', description: 'an audit.k8s.io/v1 Policy; default: metadata of every request' },
  ],
  cronInterval: {
    flags: '--cron-min-schedule-interval <duration>',
    description: 'shortest time between two runs of a schedule of an Order; 0: no limit',
    defaultValue: '10m',
  },
  probes: (denied: string): readonly OptionDefinition[] => [
    { flags: '--endpoint-probes <mode>', description: 'whether Endpoints are probed: on or off; default: on', choices: ['on', 'off'] },
    {
      flags: '--endpoint-probe-ttl <duration>',
      description: 'how old the result of a probe may become, for example 1h; 0 probes only after changes; default: 10m',
    },
    {
      flags: '--probe-deny-cidrs <networks>',
      description: `networks that probes never dial, separated by commas, "" for none; default: ${denied}`,
    },
  ],
} as const;
