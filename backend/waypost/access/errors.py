"""Refusals at the door."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Invalid, Kind, NotFound, Refusal, Unauthenticated


class WrongCredentials(Unauthenticated):
    """The name or the password is not right."""

    code, title = "wrong_credentials", "Sign-in failed"


class TooManyAttempts(Refusal):
    """Too many sign-ins have failed. Please wait before you try again."""

    code, kind, title = "too_many_attempts", Kind.THROTTLED, "Please wait"


class SessionEnded(Unauthenticated):
    """Your session has ended. Please sign in again."""

    code, title = "session_ended", "Session ended"


class TokensRenewed(Unauthenticated):
    """Another tab has just renewed this sign-in. Please try again."""

    code, title = "tokens_renewed", "Renewed elsewhere"


class ForeignOrigin(Forbidden):
    """This request comes from another site."""

    code, title = "foreign_origin", "Foreign origin"


class StepUpNeeded(Forbidden):
    """Please confirm first that it is you."""

    code, title = "step_up_needed", "Confirmation needed"


class SignatureRefused(Invalid):
    """This is not your signature of exactly this decision. Please sign once more."""

    code, title = "signature_refused", "Signature refused"


class SecondFactorNeeded(Forbidden):
    """Your role needs a second factor: set one up first."""

    code, title = "second_factor_needed", "Second factor needed"


class WrongCode(Invalid):
    """This code is not right, has been used, or is too old."""

    code, title = "wrong_code", "Not confirmed"


class ChallengeOver(Unauthenticated):
    """This sign-in has taken too long or was used. Please begin again."""

    code, title = "challenge_over", "Please sign in again"


class NothingToConfirm(Conflict):
    """There is no second factor waiting to be confirmed. Please begin again."""

    code = "nothing_to_confirm"


class FactorInUse(Conflict):
    """A role of yours needs a second factor, and this is the last one you have."""

    code = "factor_in_use"


class PasskeyRefused(Invalid):
    """This passkey does not open anything here, or it took too long. Please try again."""

    code, title = "passkey_refused", "Not confirmed"


class PasskeyNotFound(NotFound):
    """There is no such passkey of yours."""

    code = "passkey_not_found"


class TooManyPasskeys(Conflict):
    """You have as many passkeys as one can have: remove one first."""

    code = "too_many_passkeys"


class NoPasskeysHere(Conflict):
    """Passkeys need an address with a name (not a number): ask your administrator for it."""

    code = "no_passkeys_here"


class ResetNotFound(NotFound):
    """There is no such request to take second factors away, or it is settled."""

    code = "reset_not_found"


class ResetWaits(Conflict):
    """A request to take this person's second factors away waits already."""

    code = "reset_waits"


class AnotherMust(Forbidden):
    """Another administrator has to do this: neither the one who asked for it nor the one it is about."""

    code = "another_must"


class WrongProof(Invalid):
    """That is not right."""

    code, title = "wrong_proof", "Not confirmed"


class UnknownFactor(Invalid):
    """This is no way in which you can confirm that it is you."""

    code, title = "unknown_factor", "Not confirmed"


class SessionNotFound(NotFound):
    """There is no such session of yours."""

    code = "session_not_found"


class WeakPassword(Invalid):
    """This password is too easy to guess."""

    code = "weak_password"


class LinkUsedUp(NotFound):
    """This link has been used or is too old. Ask for a new one."""

    code = "link_used_up"


class RoleNotFound(NotFound):
    """There is no such role."""

    code = "role_not_found"


class LastAdministrator(Conflict):
    """This is the last administrator: make somebody else one first."""

    code = "last_administrator"


class TooManyExports(Refusal):
    """You are taking this away already. Please wait a little."""

    code, kind, title = "too_many_exports", Kind.THROTTLED, "Please wait"


class MayMore(Forbidden):
    """This person may do more than you: whoever may as much has to do this."""

    code = "may_more"


class HasPassword(Conflict):
    """This person has set a password already: they can sign in with it, or ask for a new one themselves."""

    code = "has_password"


class ApiTokenNotFound(NotFound):
    """There is no such token in force."""

    code = "api_token_not_found"


class TooManyTokens(Conflict):
    """There are as many tokens as one can have: revoke one first."""

    code = "too_many_tokens"


class ReadsOnly(Forbidden):
    """This token only reads."""

    code, title = "reads_only", "Not allowed"


class PersonNeeded(Forbidden):
    """This is for a person who is signed in: no token can do it."""

    code, title = "person_needed", "Not allowed"


class PasswordTooShort(Conflict):
    """Your password is long enough beside a second factor only: choose a longer one first."""

    code = "password_too_short"


class ServiceAccountNotFound(NotFound):
    """There is no such service account."""

    code = "service_account_not_found"


class OAuthClientNotFound(NotFound):
    """There is no such client or secret in force."""

    code = "oauth_client_not_found"


class TooManySecrets(Conflict):
    """This client has two secrets already: revoke one first."""

    code = "too_many_secrets"


class PeopleJobNotFound(NotFound):
    """There is no such change of many people of yours."""

    code = "people_job_not_found"


class NothingToUndo(Conflict):
    """This cannot be undone, or not any more."""

    code = "nothing_to_undo"


class ChangedSince(Conflict):
    """Somebody changed this person since; they stay as they are now."""

    code = "changed_since"


class TooManyLeave(Conflict):
    """So many people would be deactivated that this has to be said to be meant: look at the preview, and say how many."""

    code = "too_many_leave"
