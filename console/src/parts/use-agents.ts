import { useMemo } from 'react'
import { get } from '../api/client'
import { useResource } from '../api/resource'
import type { AgentView, Page } from '../api/types'

/** The brokerage's agents, and their names by id. */
export function useAgents(): { agents: readonly AgentView[]; nameOf: (id: string) => string } {
  const { data } = useResource('agents', (signal) => get<Page<AgentView>>('/v1/agents', { signal }))
  return useMemo(() => {
    const agents = data?.items ?? []
    const names = new Map(agents.map((agent) => [agent.id, agent.name]))
    return { agents, nameOf: (id) => names.get(id) ?? 'an agent' }
  }, [data])
}
