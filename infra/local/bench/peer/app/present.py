"""What one person may see of a report, as the answers have it."""
import hashlib
import hmac
import os
from datetime import datetime, timezone
from functools import lru_cache
from urllib.parse import quote

from schemas import LABELS

SECRET, BUCKET = os.environ["PEER_SECRET"], os.environ["PEER_BUCKET"]


def link(upload, size, generation):
    path = f"renditions/{upload.id}/{generation}/{size}.jpg" if generation else f"renditions/{upload.id}/{size}.jpg"
    now = int(datetime.now(timezone.utc).timestamp())
    return presigned(path, now - now % 900)


@lru_cache(maxsize=20_000)
def presigned(path, window):
    """An address of S3 that works for half an hour (Signature Version 4)."""
    day, at = (datetime.fromtimestamp(window, timezone.utc).strftime(form) for form in ("%Y%m%d", "%Y%m%dT%H%M%SZ"))
    scope = f"{day}/us-east-1/s3/aws4_request"
    query = (f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote('peer/' + scope, safe='')}&X-Amz-Date={at}"
             "&X-Amz-Expires=1800&X-Amz-SignedHeaders=host")
    request = "\n".join(["GET", f"/{BUCKET}/{path}", query, "host:s3.local\n", "host", "UNSIGNED-PAYLOAD"])
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()])
    return f"http://s3.local/{BUCKET}/{path}?{query}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"


def is_public(image):
    return image.hidden is None and (image.verdict == "relevant" or image.kind == "resolution")


def hidden_from(report, me):
    """Whether the words and pictures of the report are for its reporter alone. The setting that shows them is off."""
    return report.status == "pending" and report.user_id != me


def first_picture(report, me):
    if hidden_from(report, me):
        return None
    found = [i for i in report.images if i.kind == "evidence" and i.upload.state == "processed"]
    found.sort(key=lambda i: (not is_public(i), i.created_at, i.id))
    return found[0] if found and (is_public(found[0]) or report.user_id == me) else None


def summary(report, me, following, known_suco, known_district):
    mine, hidden = report.user_id == me, hidden_from(report, me)
    words = mine or not hidden and report.words_hidden is None
    rounded = (lambda degrees: round(degrees * 1000) / 1000) if hidden else lambda degrees: degrees
    picture, person = first_picture(report, me), report.reporter
    if hidden or report.is_anonymous and not mine:
        person = None
    original = report.original
    if original and (original.deleted_at or original.status == "rejected"):
        original = None
    avatar = person and person.avatar
    out = {
        "id": report.id, "report_number": report.report_number,
        "title": report.title if words else LABELS[report.issue_type], "description": report.description if words else "",
        "issue_type": report.issue_type, "severity": None if hidden else report.severity,
        "severity_score": None if hidden else report.severity_score, "priority": None if hidden else report.priority,
        "status": report.status, "latitude": rounded(report.latitude), "longitude": rounded(report.longitude),
        "location_accuracy": None if hidden else report.location_accuracy,
        "address": report.address if words else None, "street": report.street if words else None,
        "suco": report.suco if words or known_suco else None, "district": report.district if words or known_district else None,
        "municipality": report.municipality if words else report.area and report.area.name,
        "image_url": None, "thumbnail_url": picture and link(picture.upload, "thumbnail", picture.upload.generation),
        "blurhash": picture and picture.upload.blurhash,
        "reporter": person and {"id": person.id, "full_name": person.full_name,
                                "avatar_url": avatar and link(avatar, "thumbnail", 0)},
        "assigned_agency": report.agency and {"id": report.agency.id, "code": report.agency.code, "name": report.agency.name,
                                              "agency_type": report.agency.agency_type},
        "duplicate_of": original and {"id": original.id, "report_number": original.report_number},
        "ai_status": None if hidden else report.ai_status, "blockchain_status": report.blockchain_status,
        "comments_count": 0 if hidden else report.comments_count, "confirmations_count": report.confirmations_count,
        "followers_count": report.followers_count, "following": following, "version": report.version, "source": report.source,
        "created_at": report.created_at, "updated_at": report.updated_at, "resolved_at": report.resolved_at, "due_at": report.due_at,
    }
    optional = {"content_pending": hidden, "content_hidden": report.words_hidden is not None,
                "content_edited": report.original_words is not None, "issue_type_raw": words and report.issue_type_raw,
                "rejection_reason": report.rejection_reason, "client_id": mine and report.client_id}
    out.update((name, value) for name, value in optional.items() if value)
    return out


def detail(report, me, anchor, confirmed, *columns):
    mine, hidden = report.user_id == me, hidden_from(report, me)
    held_back = report.words_hidden is not None or any(i.hidden for i in report.images)
    out, picture = summary(report, me, *columns), first_picture(report, me)
    if picture:
        out["image_url"] = link(picture.upload, "display", picture.upload.generation)
    shown = [] if hidden else [i for i in report.images if mine or is_public(i) and i.upload.state != "redacting"]
    out.update(
        images=[image(i) for i in shown], ai=None if hidden or held_back and not mine else assessment(report),
        blockchain=anchor, hedera_transaction_id=anchor["transaction_id"],
        status_history=[step(s, mine, hidden) for s in report.steps],
        possible_duplicates=[] if hidden else [candidate(c) for c in report.candidates if shown_candidate(c.report)][:20],
        is_anonymous=report.is_anonymous, captured_at=None if hidden else report.captured_at, confirmed=confirmed)
    return out


def image(i):
    upload, ready = i.upload, i.upload.state == "processed"
    return {"id": i.id, "kind": i.kind, "is_public": is_public(i), "created_at": i.created_at,
            "status": upload.state if upload.state in ("processed", "refused") else "pending",
            "image_url": link(upload, "display", upload.generation) if ready else None,
            "thumbnail_url": link(upload, "thumbnail", upload.generation) if ready else None,
            "width": upload.width if ready else None, "height": upload.height if ready else None,
            "blurhash": upload.blurhash if ready else None}


def assessment(report):
    a = report.analysis
    return {"status": report.ai_status, "is_relevant": a and a.is_relevant, "confidence": a and a.relevance_confidence,
            "damage_type": a and a.damage_type, "severity": a and a.severity, "severity_score": a and a.severity_score,
            "recommended_repair": a and a.recommended_repair, "analyzed_at": a and a.created_at}


def step(s, mine, hidden):
    rejects, override = s.new_status == "rejected", s.override is not None
    readable = rejects or not override if mine else not (rejects or override or hidden)
    out = {"old_status": s.old_status, "new_status": s.new_status, "changed_by": s.actor_kind, "agency": s.agency and s.agency.code,
           "note": s.note if readable else None, "created_at": s.created_at}
    if s.agency:
        out["agency_name"] = s.agency.name
    return out


def shown_candidate(report):
    return not report.deleted_at and report.status not in ("rejected", "pending")


def candidate(c):
    return {"id": c.report.id, "report_number": c.report.report_number, "status": c.report.status, "similarity": c.similarity,
            "distance_meters": c.distance_meters}
