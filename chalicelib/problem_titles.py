"""Short titles of every refusal, by code and language; explanations are the classes' docstrings."""

TITLES: dict[str, dict[str, str]] = {
    # Any request
    "bad_request": {
        "en": "The request cannot be read",
        "fr": "La requête est illisible",
        "ar": "تعذّرت قراءة الطلب",
        "zgh": "ⵓⵔ ⵜⵜⵓⵖⵔⴰ ⵜⵓⵜⵔⴰ",
    },
    "malformed_json": {
        "en": "The body is not JSON",
        "fr": "Le corps n’est pas du JSON",
        "ar": "محتوى الطلب ليس بصيغة JSON",
        "zgh": "ⵜⵓⵎⴰⵢⵜ ⵏ ⵜⵓⵜⵔⴰ ⵓⵔ ⵜⴳⵉ JSON",
    },
    "unauthorized": {
        "en": "Sign in first",
        "fr": "Connectez-vous d’abord",
        "ar": "يجب تسجيل الدخول أولا",
        "zgh": "ⴽⵛⵎ ⵙ ⵓⵎⵉⴹⴰⵏ ⵏⵏⴽ ⵙⵡⴰⵔ",
    },
    "token_expired": {
        "en": "Your sign-in has expired",
        "fr": "Votre session a expiré",
        "ar": "انتهت صلاحية الجلسة",
        "zgh": "ⵜⴼⵓⴽⴽⴰ ⵜⵙⵖⵉⵎⵜ ⵏⵏⴽ",
    },
    "forbidden": {
        "en": "You may not do this",
        "fr": "Action non autorisée",
        "ar": "غير مسموح لك بهذا الإجراء",
        "zgh": "ⵓⵔ ⴰⴽ ⵉⵜⵜⵓⴼⴽⴰ ⵓⵣⵔⴼ",
    },
    "not_found": {
        "en": "Not found",
        "fr": "Introuvable",
        "ar": "غير موجود",
        "zgh": "ⵓⵔ ⵉⵜⵜⵢⴰⴼⴰ",
    },
    "method_not_allowed": {
        "en": "This address does not answer that method",
        "fr": "Méthode non admise à cette adresse",
        "ar": "هذا العنوان لا يقبل هذه الطريقة",
        "zgh": "ⵓⵔ ⵜⵇⴱⵍ ⵜⴰⵏⵙⴰ ⴰⴷ ⵜⴰⵖⴰⵔⴰⵙⵜ ⴰⴷ",
    },
    "conflict": {
        "en": "Not possible in the present state",
        "fr": "Impossible dans l’état actuel",
        "ar": "غير ممكن في الوضع الحالي",
        "zgh": "ⵓⵔ ⵉⵖⵢ ⴰⴷ ⵉⵜⵜⵓⵙⴽⵔ ⵖⵉⵍⴰⴷ",
    },
    "body_too_large": {
        "en": "The request is too large",
        "fr": "La requête est trop volumineuse",
        "ar": "حجم الطلب كبير جدا",
        "zgh": "ⵜⵎⵇⵇⵓⵔ ⵜⵓⵜⵔⴰ ⴽⵉⴳⴰⵏ",
    },
    "unsupported_media_type": {
        "en": "This media type is not read here",
        "fr": "Type de contenu non pris en charge",
        "ar": "نوع المحتوى غير مدعوم",
        "zgh": "ⴰⵏⴰⵡ ⴰⴷ ⵏ ⵜⵓⵎⴰⵢⵜ ⵓⵔ ⵉⵜⵜⵓⵇⴱⴰⵍ",
    },
    "invalid": {
        "en": "Something in the request is wrong",
        "fr": "La requête contient une erreur",
        "ar": "في الطلب خطأ",
        "zgh": "ⵜⵍⵍⴰ ⵜⵣⴳⵍⵜ ⴳ ⵜⵓⵜⵔⴰ",
    },
    "invalid_fields": {
        "en": "Some fields are wrong",
        "fr": "Certains champs sont incorrects",
        "ar": "بعض الخانات غير صحيحة",
        "zgh": "ⴽⵔⴰ ⵏ ⵉⴳⵔⴰⵏ ⵓⵔ ⵖⵓⴷⴰⵏ",
    },
    "control_character": {
        "en": "A text holds control characters",
        "fr": "Un texte contient des caractères de contrôle",
        "ar": "النص يحتوي على رموز تحكم",
        "zgh": "ⵍⵍⴰⵏ ⵉⵙⴽⴽⵉⵍⵏ ⵏ ⵓⵙⵏⴱⴹ ⴳ ⵓⴹⵕⵉⵚ",
    },
    "too_many_requests": {
        "en": "Too many requests",
        "fr": "Trop de requêtes",
        "ar": "طلبات كثيرة جدا",
        "zgh": "ⴳⴳⵓⵜⵏⵜ ⵜⵓⵜⵔⵉⵡⵉⵏ",
    },
    "unavailable": {
        "en": "Not available for a moment",
        "fr": "Momentanément indisponible",
        "ar": "غير متاح مؤقتا",
        "zgh": "ⵓⵔ ⵉⵍⵍⵉ ⵖⵉⵍⴰⴷ",
    },
    "internal_error": {
        "en": "An error on our side",
        "fr": "Erreur de notre côté",
        "ar": "خطأ من جانبنا",
        "zgh": "ⵜⴰⵣⴳⵍⵜ ⵙⴳ ⵜⴰⵎⴰ ⵏⵏⵖ",
    },
    "marketplace_error": {
        "en": "The request was refused",
        "fr": "La requête a été refusée",
        "ar": "رُفض الطلب",
        "zgh": "ⵜⵜⵢⴰⴳⵢ ⵜⵓⵜⵔⴰ",
    },
    # Repeats, lists, editions
    "idempotency_key_missing": {
        "en": "An Idempotency-Key is needed",
        "fr": "Une clé d’idempotence est requise",
        "ar": "مفتاح منع التكرار مطلوب",
        "zgh": "ⵜⵍⴰⵇ ⵜⵙⴰⵔⵓⵜ ⵏ ⵡⴰⵔ-ⴰⵍⵍⵓⵙ",
    },
    "idempotency_key_invalid": {
        "en": "The Idempotency-Key is not valid",
        "fr": "La clé d’idempotence n’est pas valable",
        "ar": "مفتاح منع التكرار غير صالح",
        "zgh": "ⵜⴰⵙⴰⵔⵓⵜ ⵏ ⵡⴰⵔ-ⴰⵍⵍⵓⵙ ⵓⵔ ⵜⵖⵓⴷⵉ",
    },
    "idempotency_mismatch": {
        "en": "This key was used for another request",
        "fr": "Cette clé a servi à une autre requête",
        "ar": "استُعمل هذا المفتاح لطلب آخر",
        "zgh": "ⵜⴰⵙⴰⵔⵓⵜ ⴰⴷ ⵜⵜⵓⵙⵎⵔⵙ ⵉ ⵜⵓⵜⵔⴰ ⵢⴰⴹⵏ",
    },
    "idempotency_in_progress": {
        "en": "The first request is still running",
        "fr": "La première requête est en cours",
        "ar": "الطلب الأول ما زال قيد المعالجة",
        "zgh": "ⵜⵓⵜⵔⴰ ⵜⴰⵎⵣⵡⴰⵔⵓⵜ ⵙⵓⵍ ⵜⵜⴰⵣⵣⵍ",
    },
    "invalid_cursor": {
        "en": "The cursor is not valid here",
        "fr": "Le curseur n’est pas valable ici",
        "ar": "مؤشر الصفحة غير صالح هنا",
        "zgh": "ⴰⵎⴰⵜⴰⵔ ⵏ ⵜⴰⵙⵏⴰ ⵓⵔ ⵉⵖⵓⴷⵉ ⵖⵉ",
    },
}
