//! A transaction none of whose statements is waited for without end.
//!
//! PostgreSQL's own `statement_timeout` ends what is slow; it cannot end the wait for an answer that never comes, because
//! a network or a machine went away without a word. TCP would notice after a quarter of an hour.

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::{self, BoxStream},
};
use sqlx::{
    Either, Error, Execute, Executor, PgConnection, PgTransaction, Postgres,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use std::{future::Future, io, task::Poll, time::Duration};

/// A transaction, and how long each statement of it may take. `&mut` of it executes statements.
#[derive(Debug)]
pub(crate) struct Bounded {
    tx: PgTransaction<'static>,
    limit: Duration,
}

impl Bounded {
    pub(crate) fn new(tx: PgTransaction<'static>, limit: Duration) -> Self {
        Self { tx, limit }
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        within(self.limit, self.tx.commit()).await
    }
}

/// The outcome of something that the database does, or the news that it took too long.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(no_answer()))
}

fn no_answer() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer"))
}

impl<'c> Executor<'c> for &'c mut Bounded {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let mut limit = Box::pin(tokio::time::sleep(self.limit));
        let mut steps = connection(&mut self.tx).fetch_many(query);
        stream::poll_fn(move |context| match steps.poll_next_unpin(context) {
            Poll::Pending => limit.as_mut().poll(context).map(|()| Some(Err(no_answer()))),
            step @ Poll::Ready(_) => step,
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let limit = self.limit;
        within(limit, connection(&mut self.tx).fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: sqlx::SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        let limit = self.limit;
        within(limit, connection(&mut self.tx).prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: sqlx::SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        let limit = self.limit;
        within(limit, connection(&mut self.tx).describe(sql)).boxed()
    }
}

fn connection<'t>(tx: &'t mut PgTransaction<'static>) -> &'t mut PgConnection {
    tx
}
