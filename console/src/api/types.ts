import type { components } from './schema'

type Schemas = components['schemas']

export type Problem = Omit<Schemas['Problem'], 'detail'> & { detail?: string | null }
export type Role = Schemas['Role']
export type Language = Schemas['Language']
export type Identity = Schemas['IdentityView']
export type DemoIdentity = Schemas['DemoView']
export type SessionView = Schemas['SessionView']
export type AgentView = Schemas['AgentView']
export type CallView = Schemas['CallView']
export type CallDetail = Schemas['CallDetail']
export type TurnView = Schemas['TurnView']
export type ToolRunView = Schemas['ToolRunView']
export type ToolOutcome = Schemas['ToolOutcome']
export type TurnOutcome = Schemas['TurnOutcome']
export type EndReason = Schemas['EndReason']
export type LeadView = Schemas['LeadView']
export type ViewingView = Schemas['ViewingView']
export type TransferView = Schemas['TransferView']
export type ListingView = Schemas['ListingView']

/** A page of a list. */
export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}

/** The keys of `stages_us`, in the order of an ordinary turn. */
export type Stage =
  | 'end_of_speech'
  | 'endpointed'
  | 'final_transcript'
  | 'request_sent'
  | 'first_token'
  | 'first_phrase'
  | 'synthesis_asked'
  | 'first_byte'
  | 'first_audio_sent'
  | 'first_audio_played'
