/** Haraka's libraries that bring no declarations of their own, as far as we use them. */

declare module 'haraka-config' {
  type Ini = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
  interface Config {
    /** of an ini: its sections; those that it has not are missing, but for `main` */
    get(name: string, options?: { readonly booleans?: readonly string[]; readonly no_watch?: boolean }): Ini
    module_config(defaults: string, overrides: string): Config
  }
  const config: Config
  export = config
}

declare module 'haraka-constants' {
  const constants: Readonly<Record<'cont' | 'deny' | 'denysoft' | 'ok' | 'delay', number>>
  export = constants
}

declare module 'haraka-dsn' {
  interface Dsn {
    readonly code: number
    readonly msg: string
    readonly cls: number
    readonly sub: number
    readonly det: number
  }
  const DSN: {
    create(code: number, text: string, subject: number, detail: number): Dsn
  }
  export = DSN
}
