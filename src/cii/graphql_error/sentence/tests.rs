use super::*;

const LOGIN: &str = "a@example.com";

fn says(text: &str) -> bool {
    has_absence_sentence(&remove_subject(text, LOGIN), &USER)
}

#[test]
fn sentences_that_say_that_a_user_does_not_exist() {
    for text in [
        "User not found",
        "user not found.",
        "User a@example.com not found",
        "user 'a@example.com' does not exist",
        "User \"A@Example.com\" does not exist.",
        "No user with login a@example.com",
        "No user with login 'x' found",
        "no such user",
        "No such user: a@example.com",
        "Unknown login",
        "Unknown user a@example.com",
        "End user a@example.com was not found",
        "EndUser not found",
        "login could not be found",
        "The login `a@example.com` cannot be found",
        "Cannot find user",
        "Could not find user a@example.com",
        "Unable to find the end user",
        "User doesn't exist",
        "User with login a@example.com doesn’t exist",
        "The requested user could not be found.",
        "There is no user with this login",
        "Error: User not found",
        "UserNotFoundException: User does not exist.",
        "UserNotFound",
        "User a@example.com is unknown",
        "user no longer exists",
        "User 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not found",
        "User with email a@example.com not found",
        "User not found in this tenant",
        "User a@example.com does not exist in the database",
        "No users found for login a@example.com",
        "Request failed: no such user",
        "Username a@example.com not found",
        "User (a@example.com) not found",
        "User: a@example.com not found",
        "RequestId: 8f2c1d7e-0000-4000-8000-000000000000 Error: User not found",
        "USER_NOT_FOUND",
        "404 User not found",
        "User a@example.com isn't found",
        "user unknown to this tenant",
    ] {
        assert!(says(text), "{text}");
    }
}

#[test]
fn sentences_that_say_something_else() {
    for text in [
        "",
        "not found",
        "user table not found",
        "User pool us-east-1_abc does not exist",
        "user settings not found",
        "user service: getaddrinfo ENOTFOUND users.internal",
        "Requested resource not found",
        "Requested resource not found: Table: Users not found",
        "The table for user a@example.com was not found",
        "Settings of user a@example.com not found",
        "Data for user not found",
        "No data for user a@example.com",
        "Function not found: arn:aws:lambda:eu-west-1:1:function:getUser",
        "Cannot find module 'user'",
        "Cannot find user table",
        "Cannot find user settings",
        "No user pool",
        "No user settings found",
        "no such user index",
        "Unknown user type",
        "Unknown login method",
        "Unknown error for user a@example.com",
        "No user in session",
        "No user is logged in",
        "No login provided",
        "Host users.example.com not found",
        "user-service host could not be found",
        "The manager of the user was not found",
        "Manager user not found",
        "Login session not found",
        "Login failed: session not found",
        "Secret 'user not found' cannot be read",
        "User lookup failed: table does not exist",
        "User index users-v2 does not exist",
        "User email not found",
        "The user cannot be loaded, host not found",
        "User a@example.com has no device",
        "User found, but not the table",
        "User a@example.com: unknown error",
        "User unknown error",
        "Requested resource: users not found",
        "Table: users not found",
        "User's manager not found",
        "User data not found",
        "users.internal not found",
    ] {
        assert!(!says(text), "{text}");
    }
}

#[test]
fn sentences_about_an_address() {
    let says = |text: &str| has_absence_sentence(&remove_subject(text, "203.0.113.7"), &ADDRESS);
    for text in [
        "IP not found",
        "IP address 203.0.113.7 not found",
        "ip address '203.0.113.7' does not exist",
        "Address 2001:db8::1 was not found",
        "No users found for IP 203.0.113.7",
        "No end users for this address",
        "Unknown IP address",
        "No such IP",
        "Cannot find IP address 203.0.113.7",
        "Users not found",
    ] {
        assert!(says(text), "{text}");
    }
    for text in [
        "IP table not found",
        "Email address not found",
        "IP lookup service not found",
        "host address 10.0.0.1 not found",
        "address family not supported",
        "ip index not found",
    ] {
        assert!(!says(text), "{text}");
    }
}

#[test]
fn a_login_is_taken_out_unless_it_is_a_word_of_the_sentence() {
    assert_eq!(remove_subject("User bob not found", "Bob"), "User  not found");
    assert_eq!(remove_subject("User bobby not found", "bob"), "User bobby not found");
    assert!(has_absence_sentence(&remove_subject("User user not found", "user"), &USER));
    assert!(has_absence_sentence(
        &remove_subject("User not found host does not exist", "not found host"),
        &USER
    ));
    assert_eq!(remove_subject("İ é", "é"), "İ ");
}
