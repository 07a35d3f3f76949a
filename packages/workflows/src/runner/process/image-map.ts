import { access, constants, stat } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { ArcError } from '@arc/kernel';

/** What stands in for an image on this host. */
export interface ImageMapping {
  /** Run when a container names no command, or names `program`; its arguments follow. */
  readonly command: readonly string[];
  /** The name of the image's own program, which `command` stands for. */
  readonly program?: string;
  /** Directories searched for programs before the host's own. */
  readonly path?: readonly string[];
  /** Directories that must stay visible where they are, even below /tmp. Those the command names are found by themselves. */
  readonly hostPaths?: readonly string[];
}

/** By image name: exact, or everything before the tag, the digest or a further path segment. */
export type ImageMap = Readonly<Record<string, ImageMapping>>;

/** The most specific mapping of an image. */
function mappingOf(images: ImageMap, image: string): ImageMapping | undefined {
  const name = Object.keys(images)
    .filter((candidate) => image === candidate || (image.startsWith(candidate) && /^[:@/]/.test(image.slice(candidate.length))))
    .sort((a, b) => b.length - a.length)[0];
  return name === undefined ? undefined : images[name];
}

export interface ProgramRequest {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Tells whether a path lies in a volume of the step, where programs may appear while it runs. */
  readonly inVolume: (path: string) => boolean;
}

export interface Program {
  readonly argv: readonly string[];
  /** The value of PATH, without what the template adds to it. */
  readonly path: string;
  readonly hostPaths: readonly string[];
}

/**
 * The command line of a container on this host. A program the image has at an absolute path that does not exist here is
 * looked for by its name.
 *
 * @throws ArcError `ProgramMissing` that says what to do
 */
export async function resolveProgram(images: ImageMap, hostPath: string, request: ProgramRequest): Promise<Program> {
  const { image, command, args, inVolume } = request;
  const mapping = mappingOf(images, image);
  const path = [...(mapping?.path ?? []), hostPath].filter((part) => part !== '').join(delimiter);
  const whole = [...commandOf(mapping, command), ...args];
  const [program, ...rest] = whole;
  if (program === undefined || (command.length === 0 && mapping === undefined)) {
    throw new ArcError('ProgramMissing', `image ${image} has no command here`, {
      hint: 'Give the container a command: images are not pulled in embedded mode.',
    });
  }
  const found = inVolume(program) ? program : await findProgram(program, path);
  if (found === undefined) {
    throw new ArcError('ProgramMissing', `program ${JSON.stringify(program)} (image ${image}) is not on this host`, {
      hint: `Install ${basename(program)} and put it on the PATH of arcctl up.`,
    });
  }
  const shown = [...(mapping?.hostPaths ?? []), ...[found, ...(mapping?.command ?? [])].filter(isAbsolute), ...path.split(delimiter)];
  return { argv: [found, ...rest], path, hostPaths: shown };
}

function commandOf(mapping: ImageMapping | undefined, command: readonly string[]): readonly string[] {
  const [first, ...rest] = command;
  if (mapping === undefined) return command;
  if (first === undefined) return mapping.command;
  return mapping.program !== undefined && basename(first) === mapping.program ? [...mapping.command, ...rest] : command;
}

/** Absolute for programs found on the path; as given when it is a path that exists. */
async function findProgram(program: string, path: string): Promise<string | undefined> {
  if (program.includes('/')) {
    if (await isExecutable(program)) return program;
    return isAbsolute(program) ? findProgram(basename(program), path) : undefined;
  }
  for (const directory of path.split(delimiter).filter(isAbsolute)) {
    const candidate = join(directory, program);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
