/** What of OpenAPI 3.1 is read here. */
export interface Document {
  info: { title: string; version: string; description?: string }
  tags?: { name: string; description?: string }[]
  paths?: Record<string, PathItem>
  components?: {
    schemas?: Record<string, Schema>
    parameters?: Record<string, Parameter>
    responses?: Record<string, Answer>
    requestBodies?: Record<string, RequestBody>
    securitySchemes?: Record<string, SecurityScheme>
  }
  security?: Record<string, string[]>[]
}

export type PathItem = Partial<Record<Method, Operation>> & { parameters?: (Parameter | Ref)[] }

export const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const
export type Method = (typeof METHODS)[number]

export interface Ref {
  $ref: string
}

export interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  deprecated?: boolean
  parameters?: (Parameter | Ref)[]
  requestBody?: RequestBody | Ref
  responses?: Record<string, Answer | Ref>
  security?: Record<string, string[]>[]
}

export interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  schema?: Schema
  example?: unknown
}

export interface RequestBody {
  description?: string
  required?: boolean
  content?: Record<string, Media>
}

export interface Answer {
  description?: string
  headers?: Record<string, { description?: string; schema?: Schema }>
  content?: Record<string, Media>
}

export interface Media {
  schema?: Schema
  example?: unknown
  examples?: Record<string, { summary?: string; value?: unknown }>
}

export interface SecurityScheme {
  type: string
  description?: string
  scheme?: string
  in?: string
  name?: string
}

export interface Schema {
  $ref?: string
  type?: string | string[]
  title?: string
  description?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  example?: unknown
  examples?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  prefixItems?: Schema[]
  additionalProperties?: Schema | boolean
  oneOf?: Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  readOnly?: boolean
  writeOnly?: boolean
}

export interface Entry {
  id: string
  method: Method
  path: string
  operation: Operation
  parameters: Parameter[]
}

export interface Group {
  name: string
  description: string | null
  entries: Entry[]
}

/** The last part of `#/components/schemas/Name`. */
export function nameOf(ref: string): string {
  return decodeURIComponent(ref.slice(ref.lastIndexOf('/') + 1))
}

/** What a reference within the document stands for; `null` if there is nothing. */
export function resolve<T extends object>(document: Document, value: T | Ref): T | null {
  if (!('$ref' in value) || typeof value.$ref !== 'string') return value as T
  let found: unknown = document
  for (const part of value.$ref.replace(/^#\//, '').split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null) return null
    found = (found as Record<string, unknown>)[key]
  }
  return typeof found === 'object' && found !== null ? (found as T) : null
}

/** All operations by tag, in the order of the document. */
export function groups(document: Document): Group[] {
  const byName = new Map<string, Group>()
  for (const tag of document.tags ?? []) {
    byName.set(tag.name, { name: tag.name, description: tag.description ?? null, entries: [] })
  }
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method]
      if (operation === undefined) continue
      const name = operation.tags?.[0] ?? 'others'
      const group = byName.get(name) ?? { name, description: null, entries: [] }
      byName.set(name, group)
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
        .map((parameter) => resolve<Parameter>(document, parameter))
        .filter((parameter) => parameter !== null)
      group.entries.push({ id: idOf(method, path, operation), method, path, operation, parameters })
    }
  }
  return [...byName.values()].filter((group) => group.entries.length > 0)
}

function idOf(method: Method, path: string, operation: Operation): string {
  return operation.operationId ?? `${method}-${path.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '')}`
}

/** A type in few words; what it refers to is named. */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const options = schema.oneOf ?? schema.anyOf
  if (options !== undefined) return [...new Set(options.map(typeOf))].join(' | ')
  if (schema.allOf !== undefined) return [...new Set(schema.allOf.map(typeOf))].join(' & ')
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.includes('array')) {
    const of = schema.items === undefined ? 'anything' : typeOf(schema.items)
    const nullable = types.includes('null') ? ' | null' : ''
    return `array of ${of}${nullable}`
  }
  if (types.length > 0)
    return types
      .map((type) => (schema.format === undefined || type === 'null' ? type : `${type} (${schema.format})`))
      .join(' | ')
  return schema.properties === undefined ? 'anything' : 'object'
}

/** Within what a value has to be, in words. */
export function limits(schema: Schema): string[] {
  const words: [unknown, string][] = [
    [schema.minimum, `at least ${schema.minimum}`],
    [schema.maximum, `at most ${schema.maximum}`],
    [schema.minLength, `at least ${schema.minLength} characters`],
    [schema.maxLength, `at most ${schema.maxLength} characters`],
    [schema.minItems, `at least ${schema.minItems} items`],
    [schema.maxItems, `at most ${schema.maxItems} items`],
    [schema.pattern, `matches ${schema.pattern}`],
    [schema.default, `${JSON.stringify(schema.default)} if nothing is said`],
  ]
  return words.filter(([value]) => value !== undefined && value !== null).map(([, text]) => text)
}

/** An example of a schema: its own, or one put together. */
export function exampleOf(document: Document, schema: Schema, depth = 0): unknown {
  if (schema.example !== undefined) return schema.example
  if (schema.examples?.[0] !== undefined) return schema.examples[0]
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.default !== undefined && schema.default !== null) return schema.default
  if (depth > 6) return null
  if (schema.$ref !== undefined) {
    const found = resolve<Schema>(document, { $ref: schema.$ref })
    return found === null ? null : exampleOf(document, found, depth + 1)
  }
  const option = (schema.oneOf ?? schema.anyOf)?.find((one) => one.type !== 'null')
  if (option !== undefined) return exampleOf(document, option, depth + 1)
  if (schema.allOf !== undefined) {
    const parts = schema.allOf.map((one) => exampleOf(document, one, depth + 1))
    return Object.assign({}, ...parts.filter((part) => typeof part === 'object')) as unknown
  }
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.includes('array'))
    return schema.items === undefined ? [] : [exampleOf(document, schema.items, depth + 1)]
  if (types.includes('object') || schema.properties !== undefined) {
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, property]) => [
        name,
        exampleOf(document, property, depth + 1),
      ]),
    )
  }
  if (types.includes('integer') || types.includes('number')) return schema.minimum ?? 0
  if (types.includes('boolean')) return true
  if (types.includes('string')) return schema.format === 'date-time' ? '2026-11-29T20:04:00Z' : 'text'
  return null
}
