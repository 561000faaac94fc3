use serde_json::json;

use super::*;

const LOGIN: &str = "a@example.com";

fn kind(error_type: &str, message: &str) -> ErrorKind {
    let error = json!({ "path": ["getEndUser"], "errorType": error_type, "message": message });
    GraphqlError::parse(&error, "").kind("getEndUser", Subject::User(LOGIN))
}

#[test]
fn every_error_is_of_one_kind() {
    use ErrorKind::{Lasting, NoRight, NotFound, Passing, Throttled};
    for (error_type, message, expected) in [
        ("Lambda:Unhandled", "2025-11-25T12:00:00Z 7 Task timed out after 30.00 seconds", Passing),
        ("Lambda:Unhandled", "getaddrinfo ENOTFOUND dynamodb.eu-west-1.amazonaws.com", Passing),
        ("Lambda:Unhandled", "Cannot read properties of undefined", Passing),
        ("Lambda:IllegalArgument", "", Passing),
        ("Unhandled", "", Passing),
        ("Runtime.ExitError", "RequestId: 1 Error: Runtime exited", Passing),
        ("ExecutionTimeout", "Execution timed out.", Passing),
        ("ServiceUnavailable", "", Passing),
        ("InternalFailure", "An internal failure occurred.", Passing),
        ("InternalServerError", "", Passing),
        ("InternalError", "", Passing),
        ("DynamoDB:InternalServerError", "", Passing),
        ("DynamoDB:TransactionConflictException", "", Passing),
        ("NotFound", "getaddrinfo ENOTFOUND db", Passing),
        ("", "connect ECONNREFUSED 10.0.0.1:443", Passing),
        ("Custom", "read ECONNRESET", Passing),
        ("Custom", "socket hang up", Passing),
        ("Custom", "getaddrinfo EAI_AGAIN users", Passing),
        ("Unauthorized", "connect ETIMEDOUT 10.0.0.1:443", Passing),
        ("DynamoDB:ProvisionedThroughputExceededException", "", Throttled),
        ("ThrottlingException", "", Throttled),
        ("TooManyRequestsException", "", Throttled),
        ("RequestLimitExceeded", "", Throttled),
        ("Lambda:TooManyRequestsException", "Rate Exceeded.", Throttled),
        ("Lambda:Unhandled", "Rate exceeded", Throttled),
        ("", "Too Many Requests", Throttled),
        ("Unauthorized", "Not Authorized to access getEndUser on type Query", NoRight),
        ("Unauthorized", "", NoRight),
        ("", "Not Authorized to access failingChecks on type PublicEndUserDetails", NoRight),
        ("Custom", "Not Authorized", NoRight),
        ("Custom", "User: arn:aws:sts::1:x is not authorized to perform: dynamodb:Query", Lasting),
        ("UnauthorizedException", "You are not authorized to make this call.", Lasting),
        ("NotFound", "", NotFound),
        ("NotFound", "no a@example.com", NotFound),
        ("NOT_FOUND", "nothing here", NotFound),
        ("NotFoundException", "gone", NotFound),
        ("NotFoundError", "gone", NotFound),
        ("Custom:NotFound", "gone", NotFound),
        ("Lambda:UserNotFoundException", "", NotFound),
        ("UserNotFound", "", NotFound),
        ("EndUserNotFoundError", "", NotFound),
        ("NoSuchUserError", "", NotFound),
        ("Lambda:Unhandled", "User not found", NotFound),
        ("Lambda:Unhandled", "user 'a@example.com' does not exist", NotFound),
        ("BadRequest", "No user with login a@example.com", NotFound),
        ("NotFound", "Requested resource not found", Lasting),
        ("NotFound", "Table not found", Lasting),
        ("NotFound", "Tenant not found", Lasting),
        ("ResourceNotFoundException", "", Lasting),
        ("DynamoDB:ResourceNotFoundException", "Requested resource not found", Lasting),
        ("IndexNotFoundException", "no such index [users]", Lasting),
        ("ValidationError", "user settings not found", Lasting),
        ("Forbidden", "no", Lasting),
        ("MappingTemplate", "Unable to transform", Lasting),
        ("", "", Lasting),
    ] {
        assert_eq!(kind(error_type, message), expected, "{error_type}: {message}");
    }
}

#[test]
fn only_an_error_about_the_subject_says_that_it_is_not_found() {
    for (path, expected) in [
        (json!(["getEndUser"]), ErrorKind::NotFound),
        (json!(["getEndUser", "endUserDetails"]), ErrorKind::NotFound),
        (json!(null), ErrorKind::NotFound),
        (json!(["getEndUser", "endUserDetails", "managerLogin"]), ErrorKind::Lasting),
        (json!(["getEndUser", "providerEndUserDetails"]), ErrorKind::Lasting),
        (json!(["other"]), ErrorKind::Lasting),
    ] {
        let error = json!({ "path": path, "errorType": "NotFound", "message": "User not found" });
        let error = GraphqlError::parse(&error, "");
        assert_eq!(error.kind("getEndUser", Subject::User(LOGIN)), expected, "{path}");
    }
}

#[test]
fn an_address_is_not_found_by_type_or_by_a_sentence_about_it() {
    let kind = |error_type: &str, message: &str| {
        let error = json!({ "errorType": error_type, "message": message });
        let subject = Subject::Address("203.0.113.7");
        GraphqlError::parse(&error, "").kind("getEndUsersByIp", subject)
    };
    assert_eq!(kind("NotFound", "203.0.113.7"), ErrorKind::NotFound);
    assert_eq!(kind("Lambda:Unhandled", "No users found for IP"), ErrorKind::NotFound);
    assert_eq!(kind("UserNotFound", ""), ErrorKind::Lasting);
    assert_eq!(kind("NotFound", "Index ips not found"), ErrorKind::Lasting);
}

#[test]
fn a_login_that_reads_like_an_outage_is_none() {
    let error = json!({ "errorType": "NotFound", "message": "no timeout@example.com" });
    let error = GraphqlError::parse(&error, "");
    let subject = Subject::User("timeout@example.com");
    assert_eq!(error.kind("getEndUser", subject), ErrorKind::NotFound);
    assert_eq!(error.kind("getEndUser", Subject::List), ErrorKind::Passing);
}

#[test]
fn several_errors_are_of_one_kind() {
    use ErrorKind::{Lasting, NoRight, NotFound, Passing, Throttled};
    for (kinds, expected) in [
        (&[][..], Lasting),
        (&[NotFound, NotFound], NotFound),
        (&[NotFound, Passing], Passing),
        (&[NotFound, Lasting], Lasting),
        (&[NotFound, NoRight], Lasting),
        (&[NoRight, NoRight], NoRight),
        (&[Lasting, Passing], Lasting),
        (&[Passing, Throttled, Lasting], Throttled),
    ] {
        assert_eq!(combined_kind(kinds.iter().copied()), expected, "{kinds:?}");
    }
}
