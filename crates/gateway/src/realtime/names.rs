//! Names of events, items, responses and calls: counted, so that none comes twice in a session, behind what names the
//! session.

/// See the module.
#[derive(Debug)]
pub(super) struct Names {
    session: String,
    next: u64,
}

impl Names {
    /// Of the session that is called `sess_` and this.
    pub(super) fn new(session: String) -> Self {
        Self { session, next: 0 }
    }

    pub(super) fn event(&mut self) -> String {
        self.named("event")
    }

    pub(super) fn item(&mut self) -> String {
        self.named("item")
    }

    pub(super) fn response(&mut self) -> String {
        self.named("resp")
    }

    pub(super) fn call(&mut self) -> String {
        self.named("call")
    }

    /// The one conversation of the session.
    pub(super) fn conversation(&self) -> String {
        format!("conv_{}", self.session)
    }

    fn named(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}_{}{:04}", self.session, self.next)
    }
}
