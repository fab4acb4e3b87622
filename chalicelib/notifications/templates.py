"""What is said, by kind and language: a subject, then the sentences of the text.

The text stands alone: it is all that an SMS shows. A sentence whose parameter a notice need not
have is left out with it. There is no Tamazight yet, and no machine's guess at it: who asked for it
reads French, and the row says so.
"""

from chalicelib.locales import Language

AR, FR, EN = Language.AR, Language.FR, Language.EN
Template = tuple[str, ...]

TEMPLATES: dict[str, dict[Language, Template]] = {
    "order_placed": {
        AR: (
            "طلبكم في انتظار الأداء",
            "الطلب {order_id}: المرجو أداء {amount_minor} قبل {until}.",
            "الرمز للوكيل: {voucher_code}.",
        ),
        FR: (
            "Votre commande attend son paiement",
            "Commande {order_id} : {amount_minor} à payer avant le {until}.",
            "Code pour l'agent : {voucher_code}.",
        ),
        EN: (
            "Your order awaits its payment",
            "Order {order_id}: please pay {amount_minor} before {until}.",
            "Code for the agent: {voucher_code}.",
        ),
    },
    "order_paid": {
        AR: (
            "تم أداء طلبكم",
            "شكرا: توصلنا بمبلغ {amount_minor} عن الطلب {order_id}، وهو قيد التحضير.",
        ),
        FR: (
            "Votre commande est payée",
            "Merci : {amount_minor} reçus pour la commande {order_id}. Elle est en préparation.",
        ),
        EN: (
            "Your order is paid",
            "Thank you: {amount_minor} received for order {order_id}. It is being prepared.",
        ),
    },
    "order_expired": {
        AR: (
            "انتهى أجل أداء طلبكم",
            "لم يؤدَّ الطلب {order_id} في أجله.",
            "الأداء المتأخر يُقبل إن بقيت السلعة، وإلا فيُرد إليكم.",
        ),
        FR: (
            "Votre commande a expiré",
            "La commande {order_id} n'a pas été payée à temps.",
            "Un paiement tardif compte si les pièces sont encore là ; sinon il vous est rendu.",
        ),
        EN: (
            "Your order has expired",
            "Order {order_id} was not paid in time.",
            "A late payment counts if the pieces are still there; otherwise it is returned.",
        ),
    },
    "order_cancelled": {
        AR: (
            "أُلغي طلبكم",
            "أُلغي الطلب {order_id}.",
            "سيُرد إليكم مبلغ {amount_minor}.",
        ),
        FR: (
            "Votre commande est annulée",
            "La commande {order_id} est annulée.",
            "Somme qui vous sera rendue : {amount_minor}.",
        ),
        EN: (
            "Your order is cancelled",
            "Order {order_id} is cancelled.",
            "Amount to be returned to you: {amount_minor}.",
        ),
    },
    "parcel_accepted": {
        AR: (
            "الصانع يحضّر طلبكم",
            "قبل الصانع الطلب ويحضّر: {goods}. الطلب {order_id}.",
        ),
        FR: (
            "L'artisan prépare votre commande",
            "L'artisan a accepté et prépare : {goods}. Commande {order_id}.",
        ),
        EN: (
            "The artisan is preparing your order",
            "The artisan has accepted and is preparing: {goods}. Order {order_id}.",
        ),
    },
    "parcel_declined": {
        AR: (
            "جزء من طلبكم غير متوفر",
            "تعذر على الصانع توفير: {goods}. سيُرد إليكم مبلغ {amount_minor}. الطلب {order_id}.",
        ),
        FR: (
            "Une partie de votre commande manque",
            "L'artisan ne peut fournir : {goods}. Somme qui vous sera rendue : {amount_minor}."
            " Commande {order_id}.",
        ),
        EN: (
            "A part of your order is not available",
            "The artisan cannot supply: {goods}. Amount to be returned to you: {amount_minor}."
            " Order {order_id}.",
        ),
    },
    "parcel_shipped": {
        AR: (
            "طردكم في الطريق",
            "أُرسل طردكم مع {carrier}. الطلب {order_id}.",
            "رقم التتبع: {tracking}.",
        ),
        FR: (
            "Votre colis est en route",
            "Votre colis est parti avec {carrier}. Commande {order_id}.",
            "Suivi : {tracking}.",
        ),
        EN: (
            "Your parcel is on its way",
            "Your parcel has left with {carrier}. Order {order_id}.",
            "Tracking: {tracking}.",
        ),
    },
    "parcel_delivered": {
        AR: (
            "وصل طردكم",
            "وصل: {goods}. الطلب {order_id}.",
            "الإرجاع ممكن إلى {until}.",
        ),
        FR: (
            "Votre colis est livré",
            "Livré : {goods}. Commande {order_id}.",
            "Retour possible jusqu'au {until}.",
        ),
        EN: (
            "Your parcel has been delivered",
            "Delivered: {goods}. Order {order_id}.",
            "You may return it until {until}.",
        ),
    },
    "return_accepted": {
        AR: (
            "قُبل الإرجاع",
            "قُبل إرجاع: {goods}. أرسلوه إلى الصانع، ويُرد ثمنه عند وصوله. الطلب {order_id}.",
        ),
        FR: (
            "Votre retour est accepté",
            "Retour accepté : {goods}. Renvoyez-le à l'artisan ; vous serez remboursé à l'arrivée."
            " Commande {order_id}.",
        ),
        EN: (
            "Your return is accepted",
            "Return accepted: {goods}. Send it back to the artisan; the refund follows its arrival."
            " Order {order_id}.",
        ),
    },
    "return_refused": {
        AR: ("رُفض الإرجاع", "رُفض إرجاع: {goods}. الطلب {order_id}."),
        FR: ("Votre retour est refusé", "Retour refusé : {goods}. Commande {order_id}."),
        EN: ("Your return is refused", "Return refused: {goods}. Order {order_id}."),
    },
    "return_received": {
        AR: ("وصل ما أرجعتموه", "وصل المُرجَع: {goods}. يتبعه رد الثمن. الطلب {order_id}."),
        FR: (
            "Votre retour est arrivé",
            "Retour reçu : {goods}. Le remboursement suit. Commande {order_id}.",
        ),
        EN: (
            "Your return has arrived",
            "Return received: {goods}. The refund follows. Order {order_id}.",
        ),
    },
    "refund_approved": {
        AR: (
            "سيُرد إليكم مبلغ",
            "سيُرد إليكم مبلغ {amount_minor} عن الطلب {order_id}. سنخبركم عند إرساله.",
        ),
        FR: (
            "Un remboursement est accordé",
            "Remboursement accordé : {amount_minor} pour la commande {order_id}."
            " Un message suivra quand il sera parti.",
        ),
        EN: (
            "A refund is granted",
            "Refund granted: {amount_minor} for order {order_id}. We write again once it is sent.",
        ),
    },
    "refund_paid": {
        AR: (
            "رُد إليكم مبلغ",
            "رُد إليكم مبلغ {amount_minor} عن الطلب {order_id}. قد يظهر بعد بضعة أيام.",
        ),
        FR: (
            "Vous êtes remboursé",
            "Somme rendue : {amount_minor} pour la commande {order_id}."
            " Elle peut mettre quelques jours à s'afficher.",
        ),
        EN: (
            "You have been refunded",
            "Returned to you: {amount_minor} for order {order_id}. It may take some days to show.",
        ),
    },
    "payment_unapplied": {
        AR: (
            "مبلغ سيُرد إليكم",
            "توصلنا بمبلغ {amount_minor} لا يوافق الطلب {order_id}. سيُرد إليكم.",
        ),
        FR: (
            "Un paiement vous sera rendu",
            "Un paiement de {amount_minor} ne correspond pas à la commande {order_id}."
            " Il vous sera rendu.",
        ),
        EN: (
            "A payment will be returned",
            "A payment of {amount_minor} does not fit order {order_id}. It will be returned.",
        ),
    },
    "order_sold": {
        AR: (
            "بيعت قطعكم",
            "بيعت وأُديت. للتغليف: {goods}، المجموع {pieces}. الطرد {parcel_id}.",
        ),
        FR: (
            "Vous avez vendu",
            "Vendu et payé. À emballer : {goods} ({pieces} en tout). Colis {parcel_id}.",
        ),
        EN: (
            "You have made a sale",
            "Sold and paid. To pack: {goods} ({pieces} in all). Parcel {parcel_id}.",
        ),
    },
    "sale_cancelled": {
        AR: ("أُلغي بيع", "أُلغي البيع: لا ترسلوا الطرد {parcel_id}."),
        FR: ("Une vente est annulée", "Vente annulée : n'envoyez pas le colis {parcel_id}."),
        EN: ("A sale is cancelled", "Sale cancelled: do not send parcel {parcel_id}."),
    },
    "return_requested": {
        AR: (
            "طلب إرجاع",
            "يريد المشتري إرجاع: {goods}. الطرد {parcel_id}. أجيبوا من حسابكم.",
        ),
        FR: (
            "Un retour est demandé",
            "L'acheteur veut rendre : {goods}. Colis {parcel_id}. Répondez depuis votre compte.",
        ),
        EN: (
            "A return is requested",
            "The buyer wants to return: {goods}. Parcel {parcel_id}. Answer from your account.",
        ),
    },
    "dispute_opened": {
        AR: (
            "نزاع حول أداء",
            "اعترض بنك المشتري على الطرد {parcel_id}. حُجز {amount_minor}.",
            "إثبات الإرسال قبل {until}.",
        ),
        FR: (
            "Un paiement est contesté",
            "La banque d'un acheteur conteste le colis {parcel_id}. Retenu : {amount_minor}.",
            "Preuve avant le {until}.",
        ),
        EN: (
            "A payment is disputed",
            "The buyer's bank disputes parcel {parcel_id}. Held back: {amount_minor}.",
            "Proof of shipping before {until}.",
        ),
    },
    "dispute_won": {
        AR: ("ربحتم النزاع", "ربحتم النزاع حول الطرد {parcel_id}. رُفع الحجز عن {amount_minor}."),
        FR: (
            "Litige gagné",
            "Litige gagné pour le colis {parcel_id}. N'est plus retenu : {amount_minor}.",
        ),
        EN: (
            "Dispute won",
            "Dispute won for parcel {parcel_id}. No longer held back: {amount_minor}.",
        ),
    },
    "dispute_lost": {
        AR: ("خسرتم النزاع", "خسرتم النزاع حول الطرد {parcel_id}. عاد إلى المشتري {amount_minor}."),
        FR: (
            "Litige perdu",
            "Litige perdu pour le colis {parcel_id}. Revient à l'acheteur : {amount_minor}.",
        ),
        EN: (
            "Dispute lost",
            "Dispute lost for parcel {parcel_id}. Goes back to the buyer: {amount_minor}.",
        ),
    },
    "money_released": {
        AR: ("مبلغ صار متاحا", "صار مبلغ {amount_minor} عن الطرد {parcel_id} متاحا للأداء."),
        FR: (
            "De l'argent est libéré",
            "Libéré : {amount_minor} pour le colis {parcel_id}. Il part au prochain versement.",
        ),
        EN: (
            "Money is released",
            "Released: {amount_minor} for parcel {parcel_id}. It leaves with the next payout.",
        ),
    },
    "money_owed": {
        AR: ("مبلغ عليكم", "عليكم {amount_minor} عن الطرد {parcel_id}. يُقتطع من مبيعاتكم القادمة."),
        FR: (
            "Une somme est due",
            "Vous devez {amount_minor} pour le colis {parcel_id}. C'est retenu sur vos ventes.",
        ),
        EN: (
            "An amount is owed",
            "You owe {amount_minor} for parcel {parcel_id}. It is taken from your sales.",
        ),
    },
    "money_recovered": {
        AR: ("اقتُطع مبلغ", "اقتُطع {amount_minor} مما كان عليكم. التفاصيل في كشف حسابكم."),
        FR: (
            "Une somme due est retenue",
            "Retenu sur votre solde : {amount_minor} de ce que vous deviez. Voir votre relevé.",
        ),
        EN: (
            "An amount owed is taken",
            "Taken from your balance: {amount_minor} of what you owed. See your statement.",
        ),
    },
    "debt_written_off": {
        AR: ("أُسقط دين", "لم يعد عليكم مبلغ {amount_minor}."),
        FR: ("Une dette est effacée", "Vous ne devez plus {amount_minor}."),
        EN: ("A debt is written off", "You no longer owe {amount_minor}."),
    },
    "payout_paid": {
        AR: ("تم الأداء لكم", "أُدي لكم مبلغ {amount_minor}."),
        FR: ("Vous êtes payé", "Versement arrivé : {amount_minor}."),
        EN: ("You have been paid", "Your payout has arrived: {amount_minor}."),
    },
    "payout_failed": {
        AR: ("تعذر الأداء", "تعذر أداء {amount_minor}، وعاد إلى رصيدكم. راجعوا وجهة الأداء."),
        FR: (
            "Un versement a échoué",
            "Versement refusé : {amount_minor} revient à votre solde. Vérifiez où vous êtes payé.",
        ),
        EN: (
            "A payout has failed",
            "Payout refused: {amount_minor} is back in your balance. Check where you are paid.",
        ),
    },
    "payout_returned": {
        AR: ("عاد مبلغ أُدي لكم", "عاد مبلغ {amount_minor} إلى رصيدكم. راجعوا وجهة الأداء."),
        FR: (
            "Un versement est revenu",
            "Versement revenu : {amount_minor} est à votre solde. Vérifiez où vous êtes payé.",
        ),
        EN: (
            "A payout has come back",
            "Payout returned: {amount_minor} is back in your balance. Check where you are paid.",
        ),
    },
    "in_person_paid": {
        AR: ("تم الأداء", "تم أداء {amount_minor}. يمكنكم تسليم السلعة. البيع {order_id}."),
        FR: (
            "C'est payé",
            "Payé : {amount_minor}. Vous pouvez remettre l'achat. Vente {order_id}.",
        ),
        EN: ("It is paid", "Paid: {amount_minor}. You may hand over the goods. Sale {order_id}."),
    },
}
