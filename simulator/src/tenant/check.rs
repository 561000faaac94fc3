//! The checks of the tenant.

/// A rule that users are measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The short slug that never changes.
    pub id: String,
    /// The id of the tenant's own copy of the check, a UUID.
    pub instance_id: String,
    /// The name for people; a tenant may change it.
    pub title: String,
    /// `critical`, `high`, `medium`, `moderate` or `low`; a tenant may change it.
    pub severity: String,
    /// What it looks for, in sentences.
    pub description: Vec<String>,
    /// What to do about it.
    pub recommended_actions: Vec<String>,
}

/// A check before it gets its instance id.
pub(crate) struct Template {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) description: &'static [&'static str],
    pub(crate) action: &'static str,
}

impl Template {
    pub(crate) fn instantiate(&self, instance_id: String) -> Check {
        Check {
            id: self.id.to_owned(),
            instance_id,
            title: self.title.to_owned(),
            severity: self.severity.to_owned(),
            description: self.description.iter().map(|&line| line.to_owned()).collect(),
            recommended_actions: vec![self.action.to_owned()],
        }
    }
}

/// The checks that every seeded tenant has.
pub(crate) const TEMPLATES: [Template; 10] = [
    Template {
        id: "no-mfa",
        title: "No MFA Configured",
        severity: "critical",
        description: &[
            "Finds accounts that sign in with a password alone.",
            "A second factor stops most attempts with a stolen password.",
        ],
        action: "Enrol the user in a second factor, or block the sign-in of accounts that need none.",
    },
    Template {
        id: "unusually-high-activity",
        title: "Accounts With Unusually High Activity",
        severity: "medium",
        description: &["Finds accounts that do far more than they did in the weeks before."],
        action: "Ask the user about the activity, and end the sessions if it is not theirs.",
    },
    Template {
        id: "personal-vpn-usage",
        title: "Personal VPN Usage",
        severity: "low",
        description: &["Finds sign-ins through a VPN that the company does not provide."],
        action: "Point the user to the company's own VPN.",
    },
    Template {
        id: "access-from-denied-territories",
        title: "Access from Denied Territories",
        severity: "high",
        description: &[
            "Finds sign-ins from countries on the tenant's list of denied territories.",
            "An address may be placed wrongly: see the user's other activity too.",
        ],
        action: "Suspend the account until its owner has confirmed the journey.",
    },
    Template {
        id: "rare-browser",
        title: "Sign-in From a Rare Browser",
        severity: "low",
        description: &["Finds sign-ins with a browser that hardly anyone in the tenant uses."],
        action: "Compare the browser with the user's known devices.",
    },
    Template {
        id: "admin-role-assigned",
        title: "Admin Role Assigned",
        severity: "high",
        description: &["Finds users who were given an administrator's role."],
        action: "Make sure that the role was asked for and approved.",
    },
    Template {
        id: "user-impersonation",
        title: "User Impersonation",
        severity: "critical",
        description: &["Finds administrators who acted in another user's name."],
        action: "Ask the administrator for the ticket that called for it.",
    },
    Template {
        id: "bypass-code-used",
        title: "Bypass Code Used Instead of MFA",
        severity: "medium",
        description: &["Finds sign-ins where a bypass code took the place of a second factor."],
        action: "Withdraw the code, and enrol the user's new device.",
    },
    Template {
        id: "dormant-account",
        title: "Dormant Accounts",
        severity: "moderate",
        description: &["Finds accounts that are enabled and have not signed in for a long time."],
        action: "Disable the account, or note why it has to stay.",
    },
    Template {
        id: "mfa-flood",
        title: "MFA Flood",
        severity: "high",
        description: &[
            "Finds users who got many requests for a second factor within minutes.",
            "Attackers hope that a tired user accepts one of them.",
        ],
        action: "Reset the password, and move the user to a factor that cannot be accepted by mistake.",
    },
];
