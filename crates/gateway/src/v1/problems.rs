//! Which problems an operation can answer with, for the description of the API.

use crate::problem::Problem;
use utoipa::IntoResponses;

/// Of lists.
#[expect(dead_code, reason = "never made: it describes")]
#[derive(IntoResponses)]
pub(crate) enum ListProblems {
    /// A parameter is missing, unknown or malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Query(Problem),
    /// No key and no cookie, or one that is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    Who(Problem),
    /// Not with this key or as this member.
    #[response(status = 403, content_type = "application/problem+json")]
    Not(Problem),
    /// There is no such tenant, or none that is yours.
    #[response(status = 404, content_type = "application/problem+json")]
    Tenant(Problem),
    /// A part that is needed is away; try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(Problem),
}

/// Of one thing.
#[expect(dead_code, reason = "never made: it describes")]
#[derive(IntoResponses)]
pub(crate) enum OneProblems {
    /// The query is not valid.
    #[response(status = 400, content_type = "application/problem+json")]
    Query(Problem),
    /// No key and no cookie, or one that is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    Who(Problem),
    /// Not with this key or as this member.
    #[response(status = 403, content_type = "application/problem+json")]
    Not(Problem),
    /// There is no such thing, or it is somebody else's.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(Problem),
    /// A part that is needed is away; try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(Problem),
}

/// Of changes.
#[expect(dead_code, reason = "never made: it describes")]
#[derive(IntoResponses)]
pub(crate) enum ChangeProblems {
    /// The body is not valid.
    #[response(status = 400, content_type = "application/problem+json")]
    Body(Problem),
    /// No key and no cookie, or one that is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    Who(Problem),
    /// Not with this key, this role, or from this page.
    #[response(status = 403, content_type = "application/problem+json")]
    Not(Problem),
    /// There is no such thing, or it is somebody else's.
    #[response(status = 404, content_type = "application/problem+json")]
    Missing(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// A part that is needed is away, or busy; try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Away(Problem),
}
