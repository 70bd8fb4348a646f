//! Tools: running them, what outlives its turn, and what follows.

use super::Call;
use crate::{
    Note, Output, Timer, ToolNumber,
    turn::{NOT_FINISHED, Part, RunningTool},
};
use seiketsu_domain::{CallTime, EndReason, Message, Pii, ToolOutcome, ToolRun};

/// Tools beyond the limit of a turn are refused, and the model sees the refusal; beyond so many times the limit they
/// are not even kept.
const KEPT_REFUSALS: usize = 4;

impl Call {
    pub(super) fn run_tool(&mut self, request: String, name: String, arguments: String, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.tools.len() >= self.plan.limits.tools_per_turn.saturating_mul(KEPT_REFUSALS) {
            self.note(Note::LimitReached);
            return;
        }
        let number = ToolNumber(self.next_tool);
        self.next_tool += 1;
        let request = if self.may_be_mistaken(&request) { format!("run-{}", number.0) } else { request };
        let Some(turn) = &mut self.turn else { return };
        let refused = (turn.tools.len() >= self.plan.limits.tools_per_turn)
            .then(|| ToolOutcome::Failed("too many tools in one turn".to_owned()));
        let run = ToolRun {
            number: number.0 as u32,
            request,
            name: name.clone(),
            arguments: arguments.clone(),
            asked_at: now,
            finished_at: refused.as_ref().map(|_| now),
            outcome: refused,
        };
        let runs = run.outcome.is_none();
        turn.parts.push(Part::Tool);
        turn.tools.push(RunningTool { number, run, deadline: now + self.plan.limits.tool });
        if runs {
            self.outputs.push_back(Output::RunTool { number, name, arguments });
            self.arm_tool_timer();
        } else {
            self.note(Note::LimitReached);
        }
    }

    /// Whether a tool that still runs was asked for under the same id: some models count anew in each answer.
    fn may_be_mistaken(&self, request: &str) -> bool {
        let in_turn = self.turn.iter().flat_map(|turn| &turn.tools).map(|tool| &tool.run);
        let closing = self.closing.iter().flat_map(|closing| &closing.record.tools);
        in_turn.chain(closing).any(|run| run.outcome.is_none() && run.request == request)
    }

    pub(super) fn tool_finished(&mut self, number: ToolNumber, outcome: ToolOutcome, now: CallTime) {
        let running = self.turn.iter_mut().flat_map(|turn| &mut turn.tools);
        if let Some(tool) =
            running.into_iter().find(|tool| tool.number == number && tool.run.outcome.is_none())
        {
            tool.run.finished_at = Some(now);
            tool.run.outcome = Some(outcome);
        } else if !self.closing_tool_finished(number, outcome, now) {
            self.late();
        }
        self.arm_tool_timer();
    }

    /// A tool that outlived its turn: the record and the context learn how it ended.
    pub(super) fn closing_tool_finished(
        &mut self,
        number: ToolNumber,
        outcome: ToolOutcome,
        now: CallTime,
    ) -> bool {
        for closing in &mut self.closing {
            let Some(at) = closing.running.iter().position(|(running, ..)| *running == number) else {
                continue;
            };
            let (_, index, _) = closing.running.swap_remove(at);
            let Some(run) = closing.record.tools.get_mut(index) else { return false };
            let content = outcome.to_model();
            for message in closing.record.messages.iter_mut().chain(self.context.latest_mut()) {
                if let Message::ToolResult { request, content: held } = message
                    && *request == run.request
                    && held.expose() == NOT_FINISHED
                {
                    *held = Pii::new(content.clone());
                }
            }
            run.finished_at = Some(now);
            run.outcome = Some(outcome);
            self.news = true;
            self.drop_speculation();
            return true;
        }
        false
    }

    pub(super) fn tools_timed_out(&mut self, now: CallTime) {
        let in_turn = self.turn.iter().flat_map(|turn| &turn.tools).filter(|tool| tool.run.outcome.is_none());
        let due: Vec<ToolNumber> = in_turn
            .map(|tool| (tool.number, tool.deadline))
            .chain(self.closing.iter().flat_map(|closing| closing.running.iter().map(|(n, _, at)| (*n, *at))))
            .filter(|(_, deadline)| *deadline <= now)
            .map(|(number, _)| number)
            .collect();
        for number in due {
            self.tool_finished(number, ToolOutcome::Failed("no answer in time".to_owned()), now);
        }
        self.arm_tool_timer();
    }

    pub(super) fn arm_tool_timer(&mut self) {
        let in_turn = self.turn.iter().flat_map(|turn| &turn.tools).filter(|tool| tool.run.outcome.is_none());
        let closing = self.closing.iter().flat_map(|closing| closing.running.iter().map(|(.., at)| *at));
        match in_turn.map(|tool| tool.deadline).chain(closing).min() {
            Some(at) => self.timers.arm(Timer::Tool, at),
            None => self.timers.disarm(Timer::Tool),
        }
    }

    /// All tools of a round have answered: ask the model what to make of it, end the call, or have it put through.
    pub(super) fn after_tools(&mut self, now: CallTime) {
        let Some(turn) = &mut self.turn else { return };
        if turn.generation.is_some()
            || turn.waits_to_retry
            || turn.tools_answered == turn.tools.len()
            || !turn.tools_are_answered()
        {
            return;
        }
        let has_done = |name: &Option<String>| {
            turn.tools[turn.tools_answered..].iter().any(|tool| {
                Some(&tool.run.name) == name.as_ref()
                    && matches!(tool.run.outcome, Some(ToolOutcome::Done(_)))
            })
        };
        let last = if has_done(&self.plan.transferring_tool) {
            Some((EndReason::Transferred, &self.plan.putting_through))
        } else if has_done(&self.plan.ending_tool) {
            Some((EndReason::AgentHungUp, &self.plan.goodbye))
        } else {
            None
        };
        turn.tools_answered = turn.tools.len();
        if let Some((reason, sentence)) = last {
            turn.ends_call = Some(reason);
            self.timers.disarm(Timer::Interrupt);
            if !turn.has_words() {
                self.add_phrase(sentence.clone(), true, now);
            }
            self.resume();
        } else if turn.rounds < self.plan.limits.rounds_per_turn {
            self.ask_model(now);
        } else {
            self.note(Note::LimitReached);
            self.apologise(now);
        }
    }
}
