/** The environment variables that decide about colour, as data. */
export interface ColorSettings {
  readonly NO_COLOR?: string | undefined;
  readonly CLICOLOR?: string | undefined;
  readonly CLICOLOR_FORCE?: string | undefined;
  readonly TERM?: string | undefined;
}

/** NO_COLOR (no-color.org) beats CLICOLOR_FORCE beats CLICOLOR and TERM (bixense.com/clicolors); then it takes a terminal. */
export function allowsColor(settings: ColorSettings, isTerminal: boolean): boolean {
  if ((settings.NO_COLOR ?? '') !== '') return false;
  if (!['', '0'].includes(settings.CLICOLOR_FORCE ?? '')) return true;
  return isTerminal && settings.CLICOLOR !== '0' && settings.TERM !== 'dumb';
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;

export type Style = { readonly [name in keyof typeof codes]: (text: string) => string };

/** Wraps text in the escape sequences of a style, or leaves it alone. Meaning must never hang on colour alone. */
export function styleFor(output: { readonly hasColor: boolean }): Style {
  const wrap = (name: keyof typeof codes) => {
    const [on, off] = codes[name];
    return (text: string): string => (output.hasColor && text !== '' ? `\u001B[${on}m${text}\u001B[${off}m` : text);
  };
  return { bold: wrap('bold'), dim: wrap('dim'), red: wrap('red'), green: wrap('green'), yellow: wrap('yellow'), cyan: wrap('cyan') };
}
