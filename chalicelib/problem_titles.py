"""Short titles of every refusal, by code and language; explanations are the classes' docstrings."""

from chalicelib.money_titles import MONEY_ROWS

LANGUAGES = ("en", "fr", "ar", "zgh")

# fmt: off
_ROWS = {
    **MONEY_ROWS,
    # Any request
    "already_shipped": (
        "A parcel has been sent already", "Un colis est déjà parti",
        "تم إرسال طرد بالفعل", "ⵉⵜⵜⵡⴰⵣⵏ ⵢⴰⵏ ⵓⴽⵓⵍⵉ ⵢⴰⴷ",
    ),
    "amount_or_lines": (
        "Give an amount or lines, not both", "Donnez un montant ou des lignes, pas les deux",
        "حدد مبلغا أو أسطرا، لا كليهما", "ⴼⴽ ⴰⵜⵉⴳ ⵏⵖ ⵉⵣⵔⵉⵔⵉⴳⵏ, ⵓⵔ ⵉⴷ ⵙⵉⵏ",
    ),
    "ask_for_status_or_review": (
        "Ask for one status, or for those under review", "Demandez un statut, ou ceux à vérifier",
        "اطلب حالة واحدة أو ما هو قيد المراجعة", "ⵙⵓⵜⵔ ⵢⴰⵏ ⵡⴰⴷⴷⴰⴷ, ⵏⵖ ⵡⵉⵏⵏⴰ ⵉⵜⵜⵓⵙⵖⵥⴰⵏ",
    ),
    "amount_not_allowed": (
        "A link is for MAD 1 to 100,000", "Un lien vaut de 1 à 100 000 MAD",
        "الرابط لمبلغ من 1 إلى 100000 درهم", "ⴰⵣⴷⴰⵢ ⵉⴳⴰ ⵙⴳ 1 ⴰⵔ 100 000 MAD",
    ),
    "amount_or_listing": (
        "Give an amount or a listing, not both", "Donnez un montant ou une annonce, pas les deux",
        "حدد مبلغا أو إعلانا، لا كليهما", "ⴼⴽ ⴰⵜⵉⴳ ⵏⵖ ⵜⴰⵎⵓⵍⵜ, ⵓⵔ ⵉⴷ ⵙⵏⴰⵜ",
    ),
    "bad_request": (
        "The request cannot be read", "La requête est illisible",
        "تعذّرت قراءة الطلب", "ⵓⵔ ⵜⵜⵓⵖⵔⴰ ⵜⵓⵜⵔⴰ",
    ),
    "dispute_state_forbids": (
        "The dispute's state does not allow this", "L'état du litige ne le permet pas",
        "حالة النزاع لا تسمح بذلك", "ⴰⴷⴷⴰⴷ ⵏ ⵓⵎⵣⴰⵔⵓ ⵓⵔ ⵉⵙⵙⵓⵔⵔⵉ ⴰⵢⴰ",
    ),
    "link_already_paid": (
        "This link has been paid", "Ce lien est déjà payé",
        "تم أداء هذا الرابط", "ⴰⵣⴷⴰⵢ ⴰⴷ ⵉⵜⵜⵓⴼⵔⴰ ⵢⴰⴷ",
    ),
    "link_not_payable": (
        "This link can no longer be paid", "Ce lien ne peut plus être payé",
        "لم يعد ممكنا الأداء بهذا الرابط", "ⵓⵔ ⵉⵖⵉⵢ ⴰⴷ ⵉⵜⵜⵓⴼⵔⵓ ⵓⵣⴷⴰⵢ ⴰⴷ",
    ),
    "malformed_json": (
        "The body is not JSON", "Le corps n’est pas du JSON",
        "محتوى الطلب ليس بصيغة JSON", "ⵜⵓⵎⴰⵢⵜ ⵏ ⵜⵓⵜⵔⴰ ⵓⵔ ⵜⴳⵉ JSON",
    ),
    "not_disputable": (
        "This payment cannot be disputed", "Ce paiement ne peut pas être contesté",
        "لا يمكن الاعتراض على هذا الأداء", "ⴰⴼⵔⵓ ⴰⴷ ⵓⵔ ⵉⵖⵉⵢ ⴰⴷ ⴼⵍⵍⴰⵙ ⵉⵎⵣⴰⵔⵓ",
    ),
    "not_refundable": (
        "Nothing of this payment can be refunded", "Rien de ce paiement ne peut être remboursé",
        "لا يمكن استرجاع أي شيء من هذا الأداء", "ⵓⵔ ⵉⵖⵉⵢ ⴰⴷ ⵉⵜⵜⵓⵔⴰⵔ ⴰⵎⵢⴰ ⵏ ⵓⴼⵔⵓ ⴰⴷ",
    ),
    "not_returnable": (
        "This cannot be returned now", "Ceci ne peut pas être retourné maintenant",
        "لا يمكن إرجاع هذا الآن", "ⴰⵢⴰ ⵓⵔ ⵉⵖⵉⵢ ⴰⴷ ⵉⵜⵜⵓⵔⴰⵔ ⴷⵖⵉ",
    ),
    "refund_exceeds_captured": (
        "More than is left of the payment", "Plus que ce qui reste du paiement",
        "أكثر مما تبقى من الأداء", "ⵓⴳⴳⴰⵔ ⵏ ⵎⴰⵢⴷ ⵉⵇⵇⵉⵎⵏ ⴳ ⵓⴼⵔⵓ",
    ),
    "refund_lines_unknown": (
        "These lines cannot be refunded", "Ces lignes ne peuvent pas être remboursées",
        "لا يمكن استرجاع هذه الأسطر", "ⵉⵣⵔⵉⵔⵉⴳⵏ ⴰⴷ ⵓⵔ ⵖⵉⵏ ⴰⴷ ⵜⵜⵓⵔⴰⵔⵏ",
    ),
    "refund_state_forbids": (
        "The refund's state does not allow this", "L'état du remboursement ne le permet pas",
        "حالة الاسترجاع لا تسمح بذلك", "ⴰⴷⴷⴰⴷ ⵏ ⵡⵔⴰⵔ ⵓⵔ ⵉⵙⵙⵓⵔⵔⵉ ⴰⵢⴰ",
    ),
    "return_lines_unknown": (
        "These lines cannot be returned together",
        "Ces lignes ne peuvent pas être retournées ensemble",
        "لا يمكن إرجاع هذه الأسطر معا", "ⵉⵣⵔⵉⵔⵉⴳⵏ ⴰⴷ ⵓⵔ ⵖⵉⵏ ⴰⴷ ⵜⵜⵓⵔⴰⵔⵏ ⵎⵇⵇⴰⵔ",
    ),
    "return_state_forbids": (
        "The return's state does not allow this", "L'état du retour ne le permet pas",
        "حالة الإرجاع لا تسمح بذلك", "ⴰⴷⴷⴰⴷ ⵏ ⵜⵓⵔⵔⵉⵜ ⵓⵔ ⵉⵙⵙⵓⵔⵔⵉ ⴰⵢⴰ",
    ),
    "too_many_open_orders": (
        "Too many orders await payment", "Trop de commandes attendent un paiement",
        "طلبات كثيرة في انتظار الأداء", "ⴽⵉⴳⴰⵏ ⵏ ⵜⴳⵓⵔⵉⵡⵉⵏ ⵉⵜⵜⵇⵇⵍⵏ ⴰⴼⵔⵓ",
    ),
    "unauthorized": (
        "Sign in first", "Connectez-vous d’abord",
        "يجب تسجيل الدخول أولا", "ⴽⵛⵎ ⵙ ⵓⵎⵉⴹⴰⵏ ⵏⵏⴽ ⵙⵡⴰⵔ",
    ),
    "token_expired": (
        "Your sign-in has expired", "Votre session a expiré",
        "انتهت صلاحية الجلسة", "ⵜⴼⵓⴽⴽⴰ ⵜⵙⵖⵉⵎⵜ ⵏⵏⴽ",
    ),
    "forbidden": (
        "You may not do this", "Action non autorisée",
        "غير مسموح لك بهذا الإجراء", "ⵓⵔ ⴰⴽ ⵉⵜⵜⵓⴼⴽⴰ ⵓⵣⵔⴼ",
    ),
    "not_found": (
        "Not found", "Introuvable",
        "غير موجود", "ⵓⵔ ⵉⵜⵜⵢⴰⴼⴰ",
    ),
    "method_not_allowed": (
        "This address does not answer that method", "Méthode non admise à cette adresse",
        "هذا العنوان لا يقبل هذه الطريقة", "ⵓⵔ ⵜⵇⴱⵍ ⵜⴰⵏⵙⴰ ⴰⴷ ⵜⴰⵖⴰⵔⴰⵙⵜ ⴰⴷ",
    ),
    "conflict": (
        "Not possible in the present state", "Impossible dans l’état actuel",
        "غير ممكن في الوضع الحالي", "ⵓⵔ ⵉⵖⵢ ⴰⴷ ⵉⵜⵜⵓⵙⴽⵔ ⵖⵉⵍⴰⴷ",
    ),
    "body_too_large": (
        "The request is too large", "La requête est trop volumineuse",
        "حجم الطلب كبير جدا", "ⵜⵎⵇⵇⵓⵔ ⵜⵓⵜⵔⴰ ⴽⵉⴳⴰⵏ",
    ),
    "unknown_dispute": (
        "There is no such dispute", "Ce litige n'existe pas",
        "لا يوجد نزاع بهذا الرقم", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵎⵣⴰⵔⵓ ⴰⴷ",
    ),
    "unknown_payment_link": (
        "There is no such payment link", "Ce lien de paiement n'existe pas",
        "لا يوجد رابط أداء كهذا", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵣⴷⴰⵢ ⴰⴷ ⵏ ⵓⴼⵔⵓ",
    ),
    "unknown_refund": (
        "There is no such refund", "Ce remboursement n'existe pas",
        "لا يوجد استرجاع بهذا الرقم", "ⵓⵔ ⵉⵍⵍⵉ ⵡⵔⴰⵔ ⴰⴷ",
    ),
    "unknown_return": (
        "There is no such return, or it is not yours",
        "Ce retour n'existe pas, ou n'est pas le vôtre",
        "لا يوجد هذا الإرجاع أو ليس لك", "ⵓⵔ ⵜⵍⵍⵉ ⵜⵓⵔⵔⵉⵜ ⴰⴷ, ⵏⵖ ⵓⵔ ⵜⴳⵉ ⵜⵉⵏⵏⴽ",
    ),
    "unsupported_media_type": (
        "This media type is not read here", "Type de contenu non pris en charge",
        "نوع المحتوى غير مدعوم", "ⴰⵏⴰⵡ ⴰⴷ ⵏ ⵜⵓⵎⴰⵢⵜ ⵓⵔ ⵉⵜⵜⵓⵇⴱⴰⵍ",
    ),
    "invalid": (
        "Something in the request is wrong", "La requête contient une erreur",
        "في الطلب خطأ", "ⵜⵍⵍⴰ ⵜⵣⴳⵍⵜ ⴳ ⵜⵓⵜⵔⴰ",
    ),
    "invalid_fields": (
        "Some fields are wrong", "Certains champs sont incorrects",
        "بعض الخانات غير صحيحة", "ⴽⵔⴰ ⵏ ⵉⴳⵔⴰⵏ ⵓⵔ ⵖⵓⴷⴰⵏ",
    ),
    "control_character": (
        "A text holds control characters", "Un texte contient des caractères de contrôle",
        "النص يحتوي على رموز تحكم", "ⵍⵍⴰⵏ ⵉⵙⴽⴽⵉⵍⵏ ⵏ ⵓⵙⵏⴱⴹ ⴳ ⵓⴹⵕⵉⵚ",
    ),
    "card_number_refused": (
        "No card number is read here", "Aucun numéro de carte n’est lu ici",
        "لا يُقبل أي رقم بطاقة هنا", "ⵓⵔ ⵉⵜⵜⵓⵇⴱⴰⵍ ⵡⵓⵟⵟⵓⵏ ⵏ ⵜⴽⴰⵕⴹⴰ ⵖⵉ",
    ),
    "unsafe_address": (
        "This web address is not accepted", "Cette adresse web n’est pas admise",
        "هذا العنوان الإلكتروني غير مقبول", "ⵓⵔ ⵜⵜⵓⵇⴱⴰⵍ ⵜⴰⵏⵙⴰ ⴰⴷ ⵏ ⵡⵉⴱ",
    ),
    "rate_limited": (
        "You ask too often", "Vous demandez trop souvent",
        "طلباتك متكررة أكثر من اللازم", "ⴳⴳⵓⵜⵏⵜ ⵜⵓⵜⵔⵉⵡⵉⵏ ⵏⵏⴽ",
    ),
    "too_many_requests": (
        "Too many requests", "Trop de requêtes",
        "طلبات كثيرة جدا", "ⴳⴳⵓⵜⵏⵜ ⵜⵓⵜⵔⵉⵡⵉⵏ",
    ),
    "unavailable": (
        "Not available for a moment", "Momentanément indisponible",
        "غير متاح مؤقتا", "ⵓⵔ ⵉⵍⵍⵉ ⵖⵉⵍⴰⴷ",
    ),
    "internal_error": (
        "An error on our side", "Erreur de notre côté",
        "خطأ من جانبنا", "ⵜⴰⵣⴳⵍⵜ ⵙⴳ ⵜⴰⵎⴰ ⵏⵏⵖ",
    ),
    "marketplace_error": (
        "The request was refused", "La requête a été refusée",
        "رُفض الطلب", "ⵜⵜⵢⴰⴳⵢ ⵜⵓⵜⵔⴰ",
    ),
    # Repeats, lists, editions
    "idempotency_key_missing": (
        "An Idempotency-Key is needed", "Une clé d’idempotence est requise",
        "مفتاح منع التكرار مطلوب", "ⵜⵍⴰⵇ ⵜⵙⴰⵔⵓⵜ ⵏ ⵡⴰⵔ-ⴰⵍⵍⵓⵙ",
    ),
    "idempotency_key_invalid": (
        "The Idempotency-Key is not valid", "La clé d’idempotence n’est pas valable",
        "مفتاح منع التكرار غير صالح", "ⵜⴰⵙⴰⵔⵓⵜ ⵏ ⵡⴰⵔ-ⴰⵍⵍⵓⵙ ⵓⵔ ⵜⵖⵓⴷⵉ",
    ),
    "idempotency_mismatch": (
        "This key was used for another request", "Cette clé a servi à une autre requête",
        "استُعمل هذا المفتاح لطلب آخر", "ⵜⴰⵙⴰⵔⵓⵜ ⴰⴷ ⵜⵜⵓⵙⵎⵔⵙ ⵉ ⵜⵓⵜⵔⴰ ⵢⴰⴹⵏ",
    ),
    "idempotency_in_progress": (
        "The first request is still running", "La première requête est en cours",
        "الطلب الأول ما زال قيد المعالجة", "ⵜⵓⵜⵔⴰ ⵜⴰⵎⵣⵡⴰⵔⵓⵜ ⵙⵓⵍ ⵜⵜⴰⵣⵣⵍ",
    ),
    "invalid_cursor": (
        "The cursor is not valid here", "Le curseur n’est pas valable ici",
        "مؤشر الصفحة غير صالح هنا", "ⴰⵎⴰⵜⴰⵔ ⵏ ⵜⴰⵙⵏⴰ ⵓⵔ ⵉⵖⵓⴷⵉ ⵖⵉ",
    ),
    # Regions, artisans, listings
    "region_not_found": (
        "There is no such region", "Cette région n’existe pas",
        "لا توجد هذه الجهة", "ⵓⵔ ⵜⵍⵍⵉ ⵜⵙⴳⴰ ⴰⴷ",
    ),
    "illegal_region_move": (
        "The region cannot go to this status", "La région ne peut pas passer à cet état",
        "لا يمكن نقل الجهة إلى هذه الحالة", "ⵓⵔ ⵜⵖⵉⵢ ⵜⵙⴳⴰ ⴰⴷ ⵜⵣⵔⵉ ⵖⵔ ⵡⴰⴷⴷⴰⴷ ⴰⴷ",
    ),
    "already_registered": (
        "This account is registered already", "Ce compte est déjà inscrit",
        "هذا الحساب مسجل من قبل", "ⴰⵎⵉⴹⴰⵏ ⴰⴷ ⵉⵜⵜⵓⵣⵎⵎⴻⵎ ⵢⴰⴷ",
    ),
    "not_registered": (
        "Register as an artisan first", "Inscrivez-vous d’abord comme artisan",
        "سجّل أولا كصانع تقليدي", "ⵣⵎⵎⴻⵎ ⵙ ⵜⵉⵣⵡⵓⵔⵉ ⴰⵎ ⵓⵎⵙⵍⴰⵢ",
    ),
    "illegal_artisan_move": (
        "The artisan’s status forbids this", "L’état de l’artisan ne le permet pas",
        "حالة الصانع لا تسمح بهذا", "ⴰⴷⴷⴰⴷ ⵏ ⵓⵎⵙⵍⴰⵢ ⵓⵔ ⵉⵜⵜⴰⴷⵊ ⴰⵢⴰ",
    ),
    "fixed_by_verification": (
        "This was verified and is fixed", "Cet élément a été vérifié et ne change plus",
        "تم التحقق من هذا ولا يمكن تغييره", "ⵉⵜⵜⵓⵙⵖⵣⵏ ⵡⴰⵢⴰ, ⵓⵔ ⴰⵔ ⵉⵜⵜⵏⴼⴰⵍ",
    ),
    "artisan_not_verified": (
        "The artisan is not verified", "L’artisan n’est pas vérifié",
        "لم يتم التحقق من الصانع", "ⵓⵔ ⵉⵜⵜⵓⵙⵖⵣⵏ ⵓⵎⵙⵍⴰⵢ",
    ),
    "illegal_listing_move": (
        "The listing’s status forbids this", "L’état de l’annonce ne le permet pas",
        "حالة الإعلان لا تسمح بهذا", "ⴰⴷⴷⴰⴷ ⵏ ⵜⵏⵖⵎⵉⵙⵜ ⵓⵔ ⵉⵜⵜⴰⴷⵊ ⴰⵢⴰ",
    ),
    "stale_version": (
        "The listing was changed meanwhile", "L’annonce a été modifiée entre-temps",
        "تم تعديل الإعلان في هذه الأثناء", "ⵜⴻⵜⵜⵓⵙⵏⴼⴻⵍ ⵜⵏⵖⵎⵉⵙⵜ ⴳ ⵡⴰⴽⵓⴷ ⴰⴷ",
    ),
    "region_not_open": (
        "The region is not open to sales", "La région n’est pas ouverte à la vente",
        "الجهة غير مفتوحة للبيع", "ⵓⵔ ⵜⵔⵥⵉⵎ ⵜⵙⴳⴰ ⵉ ⵜⵎⵙⵙⵏⵣⵉ",
    ),
    "if_match_invalid": (
        "The If-Match header is not valid", "L’en-tête If-Match n’est pas valable",
        "ترويسة If-Match غير صالحة", "ⵉⵅⴼ If-Match ⵓⵔ ⵉⵖⵓⴷⵉ",
    ),
    "variant_required": (
        "Say which variant", "Précisez la variante",
        "حدّد النوع المطلوب", "ⵙⵜⵉ ⴰⵏⴰⵡ",
    ),
    "unknown_variant": (
        "There is no such variant", "Cette variante n’existe pas",
        "لا يوجد هذا النوع", "ⵓⵔ ⵉⵍⵍⵉ ⵡⴰⵏⴰⵡ ⴰⴷ",
    ),
    # Stock, orders, payments
    "bad_signature": (
        "The callback is not genuine", "La notification n’est pas authentique",
        "الإشعار غير موثوق", "ⵓⵔ ⵜⴳⵉ ⵜⵓⵏⵖⵉⵍⵜ ⵜⴰⵎⴷⴷⴰⴷⵜ",
    ),
    "does_not_ship_to": (
        "Not sent to that country", "Non expédié vers ce pays",
        "لا يُشحن إلى هذا البلد", "ⵓⵔ ⵉⵜⵜⵓⵣⴰⵏ ⵖⵔ ⵜⵎⵓⵔⵜ ⴰⵏⵏ",
    ),
    "hold_mismatch": (
        "Held in another quantity", "Déjà réservé en autre quantité",
        "محجوز بكمية أخرى", "ⵉⵜⵜⵓⵃⴹⴰ ⵙ ⵓⵎⴹⴰⵏ ⵢⴰⴹⵏ",
    ),
    "insufficient_stock": (
        "Not enough in stock", "Stock insuffisant",
        "المخزون غير كاف", "ⵓⵔ ⵉⵇⴷⴷⵉ ⵓⴳⵔⴰⵡ",
    ),
    "listing_not_for_sale": (
        "Not for sale now", "Pas en vente actuellement",
        "غير معروض للبيع حاليا", "ⵓⵔ ⵉⵣⵣⵏⵣⴰ ⵖⵉⵍⴰⴷ",
    ),
    "order_already_paid": (
        "The order is paid already", "La commande est déjà payée",
        "الطلبية مؤداة من قبل", "ⵜⵓⵜⵔⴰ ⵏ ⵓⵙⵖⵉ ⵜⵜⵓⴼⵔⴰ ⵢⴰⴷⵍⵍⵉ",
    ),
    "order_not_payable": (
        "The order awaits no payment", "La commande n’attend plus de paiement",
        "الطلبية لا تنتظر أي أداء", "ⵓⵔ ⵜⵇⵇⵍ ⵜⵓⵜⵔⴰ ⵏ ⵓⵙⵖⵉ ⴰⴼⵔⵔⵓ",
    ),
    "order_state_forbids": (
        "The order’s state forbids it", "L’état de la commande ne le permet pas",
        "حالة الطلبية لا تسمح بذلك", "ⴰⴷⴷⴰⴷ ⵏ ⵜⵓⵜⵔⴰ ⵏ ⵓⵙⵖⵉ ⵓⵔ ⵜ ⵉⵜⵜⴰⴷⵊⴰ",
    ),
    "parcel_state_forbids": (
        "The parcel’s state forbids it", "L’état du colis ne le permet pas",
        "حالة الطرد لا تسمح بذلك", "ⴰⴷⴷⴰⴷ ⵏ ⵓⵎⴰⵣⴰⵏ ⵓⵔ ⵜ ⵉⵜⵜⴰⴷⵊⴰ",
    ),
    "campaign_exists": (
        "This campaign code is taken", "Ce code de campagne est déjà pris",
        "رمز الحملة هذا مستعمل", "ⵉⵜⵜⵓⵙⵎⵔⵙ ⵢⴰⴷ ⵓⵏⴳⴰⵍ ⵏ ⵜⵉⵔⵎⵉⵜ ⴰⴷ",
    ),
    "campaign_not_running": (
        "This campaign is not running", "Cette campagne n’est pas en cours",
        "هذه الحملة غير جارية", "ⵜⵉⵔⵎⵉⵜ ⴰⴷ ⵓⵔ ⴷⴰ ⵜⵜⴰⵣⵣⵍ ⵖⵉⵍⴰ",
    ),
    "commission_rule_changed": (
        "The rule was changed meanwhile", "La règle a changé entre-temps",
        "تغيرت القاعدة في هذه الأثناء", "ⵉⵏⴼⵍ ⵓⵍⴳⵯⵏ ⴳ ⵜⵉⵣⵉ ⴰⴷ",
    ),
    "period_invalid": (
        "The period is not possible", "Cette période n’est pas possible",
        "هذه المدة غير ممكنة", "ⵜⴰⵣⵎⵏⵉⵜ ⴰⴷ ⵓⵔ ⵜⵖⵉⵢ ⴰⴷ ⵜⵉⵍⵉ",
    ),
    "too_many_terms": (
        "Too many rules and campaigns", "Trop de règles et de campagnes",
        "قواعد وحملات كثيرة جدا", "ⴳⴳⵓⵜⵏ ⵉⵍⴳⵯⴰⵏ ⴷ ⵜⵔⵎⵉⵜⵉⵏ",
    ),
    "unknown_campaign": (
        "There is no such campaign", "Cette campagne n’existe pas",
        "لا وجود لهذه الحملة", "ⵓⵔ ⵜⵍⵍⵉ ⵜⵔⵎⵉⵜ ⴰⴷ",
    ),
    "unknown_commission_rule": (
        "There is no such commission rule", "Cette règle de commission n’existe pas",
        "لا وجود لقاعدة العمولة هذه", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵍⴳⵯⵏ ⴰⴷ",
    ),
    "not_acceptable": (
        "Another type of answer was asked for", "Un autre type de réponse est demandé",
        "طُلب نوع آخر من الجواب", "ⵉⵜⵜⵓⵙⵓⵜⵔ ⵡⴰⵏⴰⵡ ⵢⴰⴹⵏ ⵏ ⵜⵎⵔⴰⵔⵓⵜ",
    ),
    "unknown_month": (
        "There is no statement of this month", "Il n’y a pas de relevé de ce mois",
        "لا يوجد كشف لهذا الشهر", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵙⵏⵎⵍ ⵏ ⵓⵢⵢⵓⵔ ⴰⴷ",
    ),
    "statement_too_long": (
        "The statement is too long", "Le relevé est trop long",
        "الكشف طويل جداً", "ⴰⵙⵏⵎⵍ ⵉⵖⵣⵣⵉⴼ",
    ),
    "payment_in_doubt": (
        "The payment is in doubt; do not send yet",
        "Le paiement est incertain : n’expédiez pas encore",
        "الأداء غير مؤكد؛ لا ترسل الطرد بعد", "ⴰⵅⵍⵍⵚ ⵓⵔ ⵉⵜⵜⵢⴰⴼⵙⵙⵢ; ⴰⴷ ⵓⵔ ⵜⴰⵣⵏⴷ ⵙⵓⵍ",
    ),
    "price_changed": (
        "The price has changed", "Le prix a changé",
        "تغيّر الثمن", "ⵉⵙⵏⴼⵍ ⵡⴰⵜⵉⴳ",
    ),
    "not_sold": (
        "So many were not sold", "Cette quantité n’a pas été vendue",
        "لم تُبع هذه الكمية", "ⵓⵔ ⵜⵜⵓⵣⵣⵏⵣⴰ ⵜⵙⵎⴽⵜⴰ ⴰⴷ",
    ),
    "sold_out": (
        "Sold out", "Épuisé",
        "نفد المخزون", "ⵉⵜⵜⵓⵣⵣⵏⵣⴰ ⴰⴽⴽⵯ",
    ),
    "stock_is_held": (
        "Buyers hold more than that", "Des acheteurs en réservent davantage",
        "المشترون يحجزون أكثر من ذلك", "ⵓⴳⴰⵔ ⵏ ⵓⵢⴰ ⵉⵜⵜⵓⵃⴹⴰ ⵉ ⵉⵎⵙⴰⵖⵏ",
    ),
    "too_many_holds": (
        "Too many buyers at once", "Trop d’acheteurs à la fois",
        "مشترون كثيرون في آن واحد", "ⴳⴳⵓⵜⵏ ⵉⵎⵙⴰⵖⵏ ⴳ ⵢⴰⵜ ⵜⵉⴽⴽⴻⵍⵜ",
    ),
    "too_many_lines": (
        "Too many lines or pieces", "Trop de lignes ou de pièces",
        "سطور أو قطع كثيرة جدا", "ⴳⴳⵓⵜⵏ ⵉⵣⵔⵉⵔⵉⴳⵏ ⵏⵖⴷ ⵜⵉⵃⵓⵏⴰ",
    ),
    "too_many_payments": (
        "Too many attempts to pay", "Trop de tentatives de paiement",
        "محاولات أداء كثيرة جدا", "ⴳⴳⵓⵜⵏ ⵉⵔⵓⵎⵏ ⵏ ⵓⴼⵔⵔⵓ",
    ),
}
# fmt: on

TITLES: dict[str, dict[str, str]] = {
    code: dict(zip(LANGUAGES, row, strict=True)) for code, row in _ROWS.items()
}
