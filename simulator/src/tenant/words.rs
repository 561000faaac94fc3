//! The words that a seeded tenant is made of.

/// Given names.
pub(crate) const GIVEN: [&str; 40] = [
    "Alice", "Bogdan", "Carmen", "Dimitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jamal",
    "Keiko", "Lars", "Mariam", "Nikhil", "Oksana", "Pablo", "Quinn", "Rosa", "Sven", "Tomoko",
    "Ursula", "Viktor", "Wanda", "Ximena", "Yusuf", "Zofia", "Amara", "Bruno", "Chloe", "Darius",
    "Esther", "Felipe", "Gloria", "Henrik", "Isolde", "Joao", "Katrin", "Leila", "Mateo", "Nadia",
];

/// Family names.
pub(crate) const FAMILY: [&str; 40] = [
    "Abara",
    "Berg",
    "Costa",
    "Dvorak",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quispe",
    "Rossi",
    "Sato",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhou",
    "Andersen",
    "Bianchi",
    "Chowdhury",
    "Duarte",
    "Engel",
    "Fonseca",
    "Gruber",
    "Hansen",
    "Ibrahim",
    "Jovanovic",
    "Keller",
    "Laine",
    "Mendoza",
    "Novak",
];

/// Mail domains, all reserved for documentation.
pub(crate) const DOMAINS: [&str; 2] = ["example.com", "example.org"];

/// Logins of accounts that no person owns, with their names.
pub(crate) const SERVICE_ACCOUNTS: [(&str, &str); 5] = [
    ("hrms.serviceuser", "HRMS Service User"),
    ("pass.resetter", "Password Resetter"),
    ("backup.agent", "Backup Agent"),
    ("ci.deployer", "CI Deployer"),
    ("scanner.inbox", "Scanner Inbox"),
];

/// Applications of a company.
pub(crate) const APPLICATIONS: [&str; 18] = [
    "Salesforce",
    "Workday",
    "Slack",
    "Zoom",
    "Jira",
    "Confluence",
    "GitHub",
    "Google Workspace",
    "Microsoft 365",
    "ServiceNow",
    "Box",
    "Figma",
    "Datadog",
    "PagerDuty",
    "Zendesk",
    "Tableau",
    "AWS Console",
    "Webex",
];

/// Authentication factors.
pub(crate) const FACTORS: [&str; 7] =
    ["Duo Push", "WebAuthn", "Okta Verify", "TOTP", "SMS", "Voice Call", "Hardware Token"];

/// Departments, each with a title at work.
pub(crate) const WORK: [(&str, &str); 8] = [
    ("Engineering", "Software Engineer"),
    ("Finance", "Accountant"),
    ("Sales", "Account Executive"),
    ("Human Resources", "HR Partner"),
    ("Support", "Support Specialist"),
    ("Marketing", "Campaign Manager"),
    ("Legal", "Counsel"),
    ("IT", "Systems Administrator"),
];

/// Towns with state and country.
pub(crate) const PLACES: [(&str, &str, &str); 12] = [
    ("Austin", "Texas", "US"),
    ("Boston", "Massachusetts", "US"),
    ("Denver", "Colorado", "US"),
    ("Toronto", "Ontario", "CA"),
    ("London", "England", "GB"),
    ("Dublin", "Leinster", "IE"),
    ("Berlin", "Berlin", "DE"),
    ("Lyon", "Auvergne-Rhone-Alpes", "FR"),
    ("Warsaw", "Mazovia", "PL"),
    ("Bengaluru", "Karnataka", "IN"),
    ("Sydney", "New South Wales", "AU"),
    ("Osaka", "Osaka", "JP"),
];
