import { Fragment, useEffect, useMemo } from 'react'
import { get } from '../api/client'
import { useResource } from '../api/resource'
import {
  type Answer,
  type Document,
  type Entry,
  exampleOf,
  groups,
  limits,
  type Media,
  nameOf,
  resolve,
  type RequestBody,
  type Schema,
  typeOf,
} from '../docs/openapi'
import '../docs/docs.css'
import { Loading, ProblemNote } from '../parts/states'
import { useTitle } from '../title'

export default function DocsPage() {
  const { data, problem, reload } = useResource('openapi', (signal) =>
    get<Document>('/openapi.json', { signal }),
  )
  if (problem !== null) {
    return (
      <div className="page">
        <ProblemNote problem={problem} retry={reload} />
      </div>
    )
  }
  return data === null ? <Loading what="the API" /> : <Docs document={data} />
}

/** Where in the page the address points. */
function fragment(): string {
  const text = location.hash.slice(1)
  try {
    return decodeURIComponent(text)
  } catch {
    // Not encoded as it should be: then as it is.
    return text
  }
}

function Docs({ document: api }: { document: Document }) {
  const heading = useTitle('API')
  const all = useMemo(() => groups(api), [api])
  const schemas = Object.entries(api.components?.schemas ?? {})
  useEffect(() => {
    // The address may point into what was not there when the browser looked.
    if (location.hash.length > 1) document.getElementById(fragment())?.scrollIntoView()
  }, [])
  return (
    <div className="page docs">
      <div className="docs-head">
        <h1 ref={heading} tabIndex={-1}>
          {api.info.title}: the API
        </h1>
        <p className="quiet">
          Version {api.info.version}. For programs: <a href="/openapi.json">openapi.json</a>
        </p>
        {api.info.description !== undefined && <Prose text={api.info.description} />}
      </div>
      <nav className="docs-nav" aria-label="Operations">
        <details open={matchMedia('(width >= 64rem)').matches}>
          <summary>Contents</summary>
          {all.map((group) => (
            <Fragment key={group.name}>
              <h2 className="label">{group.name}</h2>
              <ul className="docs-list">
                {group.entries.map((entry) => (
                  <li key={entry.id}>
                    <a href={`#${entry.id}`}>
                      <span className="method">{entry.method}</span> {entry.path}
                    </a>
                  </li>
                ))}
              </ul>
            </Fragment>
          ))}
          {schemas.length > 0 && (
            <a className="docs-to-schemas" href="#schemas">
              Schemas
            </a>
          )}
        </details>
      </nav>
      <div className="docs-body">
        <Security document={api} />
        {all.map((group) => (
          <section key={group.name} aria-labelledby={`tag-${group.name}`}>
            <h2 id={`tag-${group.name}`}>{group.name}</h2>
            {group.description !== null && <Prose text={group.description} />}
            {group.entries.map((entry) => (
              <OperationView key={entry.id} api={api} entry={entry} />
            ))}
          </section>
        ))}
        {schemas.length > 0 && (
          <section aria-labelledby="schemas">
            <h2 id="schemas">Schemas</h2>
            {schemas.map(([name, schema]) => (
              <article key={name} id={`schema-${name}`} className="operation">
                <h3>
                  <code>{name}</code>
                </h3>
                {schema.description !== undefined && <Prose text={schema.description} />}
                <SchemaView schema={schema} />
              </article>
            ))}
          </section>
        )}
      </div>
    </div>
  )
}

function Security({ document: api }: { document: Document }) {
  const schemes = Object.entries(api.components?.securitySchemes ?? {})
  if (schemes.length === 0) return null
  return (
    <section aria-labelledby="security">
      <h2 id="security">Ways in</h2>
      <dl className="fields">
        {schemes.map(([name, scheme]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
              <span className="type">
                {[scheme.type, scheme.scheme, scheme.in, scheme.name]
                  .filter((part) => part !== undefined)
                  .join(', ')}
              </span>
            </dt>
            <dd>{scheme.description !== undefined && <Prose text={scheme.description} />}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function OperationView({ api, entry }: { api: Document; entry: Entry }) {
  const { operation, parameters } = entry
  const body = operation.requestBody === undefined ? null : resolve<RequestBody>(api, operation.requestBody)
  const security = operation.security ?? api.security
  const open =
    security !== undefined && (security.length === 0 || security.some((way) => Object.keys(way).length === 0))
  const ways = [...new Set((security ?? []).flatMap((way) => Object.keys(way)))]
  return (
    <article id={entry.id} className="operation">
      <h3>
        <code>
          <span className="method">{entry.method}</span> {entry.path}
        </code>
        {operation.deprecated === true && <span className="note"> (deprecated)</span>}
      </h3>
      {operation.summary !== undefined && <p className="operation-summary">{operation.summary}</p>}
      {operation.description !== undefined && operation.description !== operation.summary && (
        <Prose text={operation.description} />
      )}
      {security !== undefined && (
        <p className="quiet">{open ? 'Open to everybody.' : `Way in: ${ways.join(' or ')}.`}</p>
      )}
      {parameters.length > 0 && (
        <>
          <h4 className="label">Parameters</h4>
          <dl className="fields">
            {parameters.map((parameter) => (
              <Field
                key={`${parameter.in} ${parameter.name}`}
                name={parameter.name}
                schema={parameter.schema ?? {}}
                description={parameter.description}
                required={parameter.required === true}
                place={parameter.in}
              />
            ))}
          </dl>
        </>
      )}
      {body !== null && (
        <>
          <h4 className="label">Body{body.required === true ? '' : ' (may be left out)'}</h4>
          {body.description !== undefined && <Prose text={body.description} />}
          <Contents api={api} content={body.content} />
        </>
      )}
      <h4 className="label">Answers</h4>
      <ul className="answers">
        {Object.entries(operation.responses ?? {}).map(([status, answer]) => (
          <AnswerView key={status} api={api} status={status} answer={resolve<Answer>(api, answer)} />
        ))}
      </ul>
    </article>
  )
}

function AnswerView({ api, status, answer }: { api: Document; status: string; answer: Answer | null }) {
  const content = answer?.content ?? {}
  const headers = Object.entries(answer?.headers ?? {})
  const title = (
    <>
      <code data-failed={status >= '400'}>{status}</code> {answer?.description ?? ''}
    </>
  )
  if (Object.keys(content).length === 0 && headers.length === 0)
    return <li className="answer-line">{title}</li>
  return (
    <li>
      <details className="answer-more">
        <summary>{title}</summary>
        {headers.length > 0 && (
          <dl className="fields">
            {headers.map(([name, header]) => (
              <Field
                key={name}
                name={name}
                schema={header.schema ?? {}}
                description={header.description}
                place="header"
              />
            ))}
          </dl>
        )}
        <Contents api={api} content={content} />
      </details>
    </li>
  )
}

function Contents({ api, content }: { api: Document; content: Record<string, Media> | undefined }) {
  return Object.entries(content ?? {}).map(([type, media]) => {
    const given = media.example ?? Object.values(media.examples ?? {})[0]?.value
    const isJson = type.includes('json')
    const example = given ?? (isJson && media.schema !== undefined ? exampleOf(api, media.schema) : undefined)
    return (
      <div key={type} className="content">
        <p className="quiet">
          <code>{type}</code>
          {media.schema !== undefined && (
            <>
              {': '}
              <Type schema={media.schema} />
            </>
          )}
        </p>
        {media.schema !== undefined && media.schema.$ref === undefined && (
          <SchemaView schema={media.schema} />
        )}
        {example !== undefined && (
          <details className="more">
            <summary>Example</summary>
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keyboard */}
            <pre className="json" tabIndex={0}>
              {typeof example === 'string' ? example : JSON.stringify(example, null, 2)}
            </pre>
          </details>
        )}
      </div>
    )
  })
}

/** The fields of an object, or what else a schema has to say. */
function SchemaView({ schema }: { schema: Schema }) {
  const parts = schema.oneOf ?? schema.anyOf ?? schema.allOf
  const fields = Object.entries(schema.properties ?? {})
  if (fields.length > 0) {
    return (
      <>
        {schema.allOf !== undefined && <Parts schema={schema} parts={schema.allOf} />}
        <dl className="fields">
          {fields.map(([name, field]) => (
            <Field
              key={name}
              name={name}
              schema={field}
              description={field.description}
              required={schema.required?.includes(name) === true}
            />
          ))}
        </dl>
      </>
    )
  }
  if (parts !== undefined) return <Parts schema={schema} parts={parts} />
  return (
    <p className="quiet">
      <Type schema={schema} />
    </p>
  )
}

function Parts({ schema, parts }: { schema: Schema; parts: Schema[] }) {
  return (
    <div className="parts">
      <p className="quiet">{schema.allOf === undefined ? 'One of these' : 'All of these together'}</p>
      <ul className="parts-list">
        {parts.map((part, at) => (
          <li key={at}>
            {part.description !== undefined && <Prose text={part.description} />}
            {part.$ref === undefined ? <SchemaView schema={part} /> : <Type schema={part} />}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Field(props: {
  name: string
  schema: Schema
  description?: string | undefined
  required?: boolean
  place?: string
}) {
  const { name, schema, description, required, place } = props
  const nested = inner(schema)
  const words = limits(schema)
  return (
    <div>
      <dt>
        <code>{name}</code>
        <span className="type">
          <Type schema={schema} />
          {place !== undefined && `, ${place}`}
          {required === false && ', optional'}
        </span>
      </dt>
      <dd>
        {description !== undefined && <Prose text={description} />}
        {words.length > 0 && <p className="quiet">{words.join(', ')}</p>}
        {nested !== null && <SchemaView schema={nested} />}
      </dd>
    </div>
  )
}

/** What is to be unfolded below a field: an object without a name of its own. */
function inner(schema: Schema): Schema | null {
  if (schema.properties !== undefined) return schema
  if (schema.items?.properties !== undefined) return schema.items
  return null
}

function Type({ schema }: { schema: Schema }) {
  const refs = refsOf(schema)
  const text = typeOf(schema)
  if (refs.length === 0) return <>{text}</>
  // The names in it become links.
  const pieces = text.split(
    new RegExp(`\\b(${refs.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})\\b`),
  )
  return pieces.map((piece, at) =>
    refs.includes(piece) ? (
      <a key={at} href={`#schema-${piece}`}>
        {piece}
      </a>
    ) : (
      piece
    ),
  )
}

function refsOf(schema: Schema): string[] {
  if (schema.$ref !== undefined) return [nameOf(schema.$ref)]
  const parts = [
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.allOf ?? []),
    ...(schema.items === undefined ? [] : [schema.items]),
  ]
  return parts.flatMap(refsOf)
}

/** Paragraphs, lists and `code`: as much of Markdown as descriptions need. */
function Prose({ text }: { text: string }) {
  return (
    <div className="prose">
      {text.split(/\n{2,}/).map((block, at) => {
        const lines = block.split('\n')
        if (lines.every((line) => /^\s*[-*] /.test(line))) {
          return (
            <ul key={at}>
              {lines.map((line, number) => (
                <li key={number}>
                  <Inline text={line.replace(/^\s*[-*] /, '')} />
                </li>
              ))}
            </ul>
          )
        }
        return (
          <p key={at}>
            <Inline text={block.replace(/^#+ /, '')} />
          </p>
        )
      })}
    </div>
  )
}

function Inline({ text }: { text: string }) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\((?:https?:\/\/|\/|#)[^)\s]+\))/).map((piece, at) => {
    if (piece.startsWith('`')) return <code key={at}>{piece.slice(1, -1)}</code>
    if (piece.startsWith('**')) return <strong key={at}>{piece.slice(2, -2)}</strong>
    const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(piece)
    if (link !== null) {
      return (
        <a key={at} href={link[2]}>
          {link[1]}
        </a>
      )
    }
    return piece
  })
}
