"""How often what may be tried here. What a rule is, and what is kept of it: `chassis.limits`."""

from __future__ import annotations

from datetime import timedelta

from chassis.limits import Rule

SIGN_IN_ACCOUNT = Rule("sign-in-account", 10, timedelta(minutes=2))
"""Wrong passwords for one user name, from browsers that it never signed in with."""

SIGN_IN_DEVICE = Rule("sign-in-device", 10, timedelta(minutes=2))
"""Wrong passwords from one browser that the account has signed in with; counted apart, so that strangers do not matter
to it (OWASP, Slow Down Online Guessing Attacks with Device Cookies)."""

SIGN_IN_ADDRESS = Rule("sign-in-address", 100, timedelta(seconds=15))
"""Wrong passwords from one address, for whatever names. A hall has one address for everybody in it."""

PASSWORD_AGAIN = Rule("password-again", 10, timedelta(minutes=2))
"""Wrong passwords of one account where somebody who is signed in is asked for it again."""

SECOND_FACTOR = Rule("second-factor", 20, timedelta(minutes=3))
"""Wrong codes of six digits for one account, however many sign-ins are begun: one chance in 16,000 to hit one of three
valid codes in the first hour. Only somebody who has the password gets that far. A passkey or a recovery code lets the
owner in meanwhile."""

PASSKEY_ADDRESS = Rule("passkey-address", 300, timedelta(seconds=1))
"""Challenges for a passkey that one address asks for. A hall has one address for everybody in it."""

CLIENT = Rule("client", 20, timedelta(minutes=1))
"""Wrong proofs of one client from one address. Nobody elsewhere can lock a client out."""

PROTOCOL_ADDRESS = Rule("protocol-address", 300, timedelta(seconds=1))
"""Requests from one address that the protocol endpoints refused."""

CODES_ADDRESS = Rule("codes-address", 100, timedelta(seconds=30))
"""One-time codes that one address asks for, sent to whomever."""

REGISTRATION_ADDRESS = Rule("registration-address", 30, timedelta(minutes=2))
"""New accounts, and tries to find out whether there is one, from one address."""

RECOVERY_ADDRESS = Rule("recovery-address", 20, timedelta(minutes=3))
"""Tries to recover an account from one address."""

RECOVERY_ACCOUNT = Rule("recovery-account", 5, timedelta(hours=1))
"""Tries to recover one account, by the name that was typed in."""

RECOVERY_COUNTER = Rule("recovery-counter", 10, timedelta(minutes=20))
"""Accounts that one clerk hands back at the counter: as many as can be served, too few to take over many unseen."""

LOOK_REPORT = Rule("look-report", 10, timedelta(hours=2))
"""Entries of the access log that one citizen reports: auditors read every one."""

STAFF_CHANGE = Rule("staff-change", 60, timedelta(minutes=1))
"""Changes of staff that one operator makes on the page."""

PERSON_SEARCH = Rule("person-search", 30, timedelta(minutes=1))
"""ID numbers that one member of staff searches cases by: as many as people who ask, too few to try numbers out."""

RULES = (
    SIGN_IN_ACCOUNT,
    SIGN_IN_DEVICE,
    SIGN_IN_ADDRESS,
    PASSWORD_AGAIN,
    SECOND_FACTOR,
    PASSKEY_ADDRESS,
    CLIENT,
    PROTOCOL_ADDRESS,
    CODES_ADDRESS,
    REGISTRATION_ADDRESS,
    RECOVERY_ADDRESS,
    RECOVERY_ACCOUNT,
    RECOVERY_COUNTER,
    LOOK_REPORT,
    STAFF_CHANGE,
    PERSON_SEARCH,
)
