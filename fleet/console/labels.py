"""Names of states, levels, roles, orders and reasons as the console shows them: (Chinese, English)."""

from fleet.watch.part_names import kind_of, place_of

LEVELS = {
    5: ("非常满意", "Very satisfied"),
    4: ("满意", "Satisfied"),
    3: ("基本满意", "Basically satisfied"),
    2: ("不满意", "Dissatisfied"),
    1: ("非常不满意", "Very dissatisfied"),
}
SERVICES = {
    "query": ("查询", "Enquiry"),
    "print": ("打印", "Printing"),
    "id_card": ("读证", "ID card"),
    "rating": ("评价", "Rating"),
}
ROLES = {
    "admin": ("管理员", "Admin"),
    "operator": ("运维", "Operator"),
    "supervisor": ("监督", "Supervisor"),
    "handler": ("承办", "Handler"),
    "viewer": ("查看", "Viewer"),
    "integrator": ("系统对接", "Integrator"),
}
DEVICE_ROLES = {"terminal": ("自助终端", "Terminal"), "evaluator": ("评价器", "Evaluator")}
SEEN = {"online": ("在线", "Online"), "offline": ("失联", "Offline"), "unknown": ("状态不明", "Unknown")}
SEEN_TONE = {"online": "good", "offline": "bad", "unknown": "warn"}
FACES = {
    "up": ("正常", "Running"),
    "down": ("未运行", "Not running"),
    "hung": ("无反应", "Hung"),
    "starting": ("启动中", "Starting"),
}
SCREENS = {
    # Of both.
    "reasons": ("选理由", "Choosing reasons"),
    # Of an evaluator.
    "starting": ("正在启动", "Starting"),
    "unpaired": ("等待配对", "Waiting to be paired"),
    "idle": ("工作人员名片", "The clerk's card"),
    "ask": ("请群众评价", "Asking for a rating"),
    "receipt": ("评价凭证", "The receipt"),
    "failed": ("评价没有记下", "A rating was not recorded"),
    # Of a terminal.
    "attract": ("待机画面", "Waiting for visitors"),
    "goodbye": ("送别", "Saying goodbye"),
    "secured": ("柜门打开，已锁屏", "Locked: the cabinet is open"),
    "home": ("首页", "Home"),
    "search": ("查事项", "Searching"),
    "departments": ("部门列表", "Departments"),
    "departmentitems": ("部门的事项", "A department's items"),
    "shelfitems": ("事项列表", "A list of items"),
    "windows": ("窗口分布", "Windows"),
    "guide": ("办事指南", "A guide"),
    "guidedetails": ("指南详情", "A guide's details"),
    "scenarios": ("一件事", "Life events"),
    "asking": ("一件事问答", "A life event's questions"),
    "plan": ("一件事清单", "A life event's list"),
    "takeaway": ("扫码带走", "Taking it away by phone"),
    "paper": ("打印", "Printing"),
    "rate": ("请群众评价", "Asking for a rating"),
    "parting": ("办完，准备离开", "Finished"),
}
"""What a device shows, by the name its screen program gives."""
PARTS = {
    "printer": ("凭条打印机", "Receipt printer"),
    "a4_printer": ("A4 打印机", "A4 printer"),
    "scanner": ("扫码器", "Code scanner"),
    "smart_card": ("社保卡/IC 卡读卡器", "Smart-card reader"),
    "camera": ("摄像头", "Camera"),
    "tamper": ("防拆触点", "Tamper contact"),
    "presence": ("人体感应", "Presence sensor"),
    "temperature": ("柜内温度", "Cabinet temperature"),
    "light": ("引导灯", "Guiding light"),
    "id_card": ("身份证阅读器", "ID card reader"),
    "buttons": ("按键", "Buttons"),
    "lamps": ("按键灯", "Lamps"),
    "buzzer": ("蜂鸣器", "Buzzer"),
    "door": ("柜门", "Door"),
    "keypad": ("数字键盘", "Keypad"),
    "sound": ("声音", "Sound"),
    "screen": ("屏幕", "Screen"),
    "touch": ("触摸", "Touch"),
    "speech": ("语音", "Speech"),
    "speaker": ("扬声器", "Loudspeaker"),
    "backlight": ("屏幕背光", "Backlight"),
    "ups": ("备用电源", "UPS"),
    "board": ("主板", "Board"),
    "desk": ("窗口电脑线路", "Line to the clerk's PC"),
    "clerk_link": ("工作人员电脑", "Clerk's PC"),
    "content": ("内容包", "Content"),
    "link": ("网络", "Link"),
    "agent": ("代理程序", "Agent"),
    "certificate": ("证书", "Certificate"),
    "clock": ("时钟", "Clock"),
    "fleet_clock": ("与服务器对时", "Clock against the fleet"),
    "configuration": ("配置", "Configuration"),
    "custody": ("记录保管", "Custody"),
    "journal": ("日志", "Journal"),
    "acknowledgements": ("回执", "Acknowledgements"),
    "messages": ("服务器消息", "Messages of the fleet"),
}
PART_STATES = {
    "ok": ("正常", "OK", "good"),
    "degraded": ("带病工作", "Degraded", "warn"),
    "down": ("故障", "Down", "bad"),
    "unknown": ("不明", "Unknown", "warn"),
    "absent": ("未安装", "Absent", ""),
}
VERBS = {
    "identify": ("亮屏识别", "Identify"),
    "restart_face": ("重启屏幕程序", "Restart screen"),
    "picture": ("要一张画面", "Ask for a picture"),
    "apply_configuration": ("应用配置", "Apply configuration"),
    "pull_content": ("拉取内容", "Pull content"),
    "invite": ("请群众评价", "Invite a rating"),
    "withdraw": ("撤回邀请", "Withdraw"),
}
ORDER_STATES = {
    "queued": ("等待发送", "Waiting to be sent", "warn"),
    "sent": ("已发出，设备未确认", "Sent, not confirmed", "warn"),
    "received": ("设备已收到", "Received", ""),
    "running": ("设备执行中", "Running", ""),
    "done": ("设备已完成", "Done", "good"),
    "failed": ("失败", "Failed", "bad"),
    "refused": ("设备拒绝", "Refused", "bad"),
    "expired": ("已过期，未执行", "Expired", "bad"),
}
WINDOW_STATES = {
    "serving": ("服务中", "Serving", "good"),
    "paused": ("暂停服务", "Paused", "warn"),
    "closed": ("未开放", "Closed", ""),
}
CLOCKS = {0: ("未校准", "Not set"), 1: ("电池时钟", "Battery clock"), 2: ("已同步", "Synchronised")}
SEVERITIES = {"bad": ("紧急", "Urgent"), "warn": ("注意", "Attention"), "note": ("提示", "Note")}
STANDINGS = {
    "counted": ("计入", "Counted"),
    "uninvited": ("未受邀，不计入", "Uninvited, not counted"),
    "repeated": ("同一服务重复评价，不计入", "Repeated, not counted"),
    "unreadable": ("无法解封，不计入", "Unreadable, not counted"),
    "none": ("未评价", "Not rated"),
}
STAGES = {
    "consult": ("咨询", "Enquiry"),
    "accept": ("受理", "Acceptance"),
    "finish": ("办结", "Completion"),
    "selfservice": ("自助", "Self-service"),
}
CHANNELS = {"window": ("窗口评价器", "Window evaluator"), "terminal": ("自助终端", "Terminal")}
PRINTS = {
    "printed": ("已打印", "Printed"),
    "not_printed": ("未打印", "Not printed"),
    "unknown": ("不能确定", "Unknown"),
    "asked": ("进行中", "Under way"),
}
LEVEL_GAUGES = {
    "paper_m": ("纸卷余量", "Paper left", "m"),
    "paper_tickets": ("约可再印张数", "Notices left, about", ""),
    "cpu_temperature_c": ("处理器温度", "Processor", "°C"),
    "disk_free_mb": ("磁盘剩余", "Disk free", "MB"),
    "memory_free_mb": ("内存剩余", "Memory free", "MB"),
    "storage_used_life": ("存储寿命已用", "Storage life used", "%"),
    "storage_errors": ("存储错误", "Storage errors", ""),
    "unsafe_shutdowns": ("断电次数", "Power cuts", ""),
    "ups_charge": ("UPS 电量", "UPS charge", "%"),
    "ups_runtime_min": ("UPS 可支撑", "UPS lasts", "min"),
    "first_frame_s": ("开机到首屏", "Start to first screen", "s"),
}
ACTS = {
    "login": ("登录", "Logged in"),
    "login.refused": ("登录被拒", "Login refused"),
    "user.add": ("新增人员", "Added a person"),
    "user.change": ("更改人员", "Changed a person"),
    "key.make": ("新建密钥", "Made a key"),
    "key.revoke": ("作废密钥", "Revoked a key"),
    "incident.take": ("接单", "Took an incident"),
    "incident.release": ("退回", "Gave an incident back"),
    "incident.close": ("关闭告警", "Closed an incident"),
    "window.change": ("更改窗口", "Changed a window"),
    "device.settings": ("更改设备设置", "Changed a device's settings"),
    "ledger.witness": ("登记账本见证方", "Added a ledger witness"),
    "device.revoke": ("吊销设备", "Revoked a device"),
    "pairing.approve": ("批准配对", "Approved a pairing"),
    "pairing.refuse": ("拒绝配对", "Refused a pairing"),
    "pack.publish": ("发布内容包", "Published a pack"),
    "items.import": ("导入事项", "Imported items"),
    "calendar.import": ("导入工作日历", "Imported a calendar"),
    "limits.change": ("更改工单时限", "Changed limits of work orders"),
    "contact.keep": ("登记联系方式", "Entered how a rater can be reached"),
    "contact.look": ("查看联系方式", "Looked how a rater can be reached"),
    "contact.refused": ("查看联系方式被拒", "Was refused a rater's contact data"),
    "contact.erase": ("按期删除联系方式", "Erased contact data when due"),
    "order.assign": ("分派工单", "Assigned a work order"),
    "order.release": ("提前交办工单", "Handed a work order over early"),
    "order.contact": ("联系评价人", "Contacted the rater"),
    "order.classify": ("核实分类", "Classified a work order"),
    "order.rectify": ("开始整改", "Began rectification"),
    "order.reply": ("答复工单", "Replied to a work order"),
    "order.take": ("领取回访", "Took a revisit on"),
    "order.revisit": ("回访评价人", "Revisited the rater"),
    "order.close": ("办结工单", "Closed a work order"),
    "order.appeal": ("提出申诉", "Appealed"),
    "order.review": ("复核申诉", "Reviewed an appeal"),
    "order.reopen": ("重新办理工单", "Opened a work order again"),
    "order.note": ("补充说明", "Added a note"),
    "order.withdraw_card": ("撤销亮牌", "Withdrew a card"),
    "revisit.draw": ("抽取回访名单", "Drew cases to revisit"),
    "revisit.call": ("登记回访结果", "Recorded a revisit"),
}
"""Deeds in the audit log; `command.<verb>` is an order to a device."""
ITEM_STATES = {"in_use": ("在用", "In use", "good"), "paused": ("暂停", "Paused", "warn"), "withdrawn": ("已取消", "Withdrawn", "")}
HANDLINGS = {"at_once": ("即办件", "At once"), "review": ("一审一核件", "Review"), "promise": ("承诺件", "Promise")}
REASONS = {
    "one_window": ("一窗受理一次办结", "One window, done at once"),
    "no_material": ("无需材料直接办理", "No papers needed"),
    "no_certificate": ("不用提交证明", "No certificates needed"),
    "full_online": ("可以全程网上办理", "Entirely online"),
    "mobile": ("可以使用手机办理", "By phone"),
    "nearby": ("可以就近办理", "Nearby"),
    "accept_first": ("可以先受理后补材料", "Accepted first, papers later"),
    "warm": ("服务热情效率高", "Warm and quick"),
    "one_form": ("填写一张表单就可完成申报", "One form"),
    "online_submit": ("在线提交材料窗口核验", "Papers online, checked here"),
    "one_list": ("一张清单告知全部材料", "One list of all papers"),
    "commitment": ("用告知承诺减免材料", "A promise instead of papers"),
    "booking": ("可以在线预约办理", "Booked online"),
    "one_trip": ("跑大厅一次办完", "One visit"),
    "good": ("服务态度较好效率较高", "Friendly and efficient"),
    "correct_once": ("一次性告知补正材料", "Corrections told at once"),
    "sample": ("提供申报材料样本", "Samples given"),
    "in_promise": ("在承诺的时间内办结", "Within the promised time"),
    "guide_ok": ("办事指南准确", "The guide was right"),
    "express": ("可以快递送达", "Sent by courier"),
    "two_trips": ("跑大厅两次办完", "Two visits"),
    "average": ("服务态度一般效率一般", "Average"),
    "no_sample": ("没有提供材料样本", "No samples"),
    "no_list": ("没有提供材料清单", "No list of papers"),
    "over_promise": ("未在承诺时间内办结", "Later than promised"),
    "repeat_material": ("同样证明被要求多次提交", "The same papers asked again"),
    "online_fail": ("承诺网办但无法在线办理", "Online did not work"),
    "requeue": ("预约后仍重复取号排队", "Queued again after booking"),
    "three_trips": ("跑大厅三次以上", "Three visits or more"),
    "poor": ("服务态度差效率低", "Unfriendly, slow"),
    "extra_condition": ("在办事指南之外增加条件", "Conditions beyond the guide"),
    "extra_material": ("需提供指南之外的材料", "Papers beyond the guide"),
    "over_legal": ("无理由超过法定办理时间", "Beyond the legal limit"),
    "wrong_sample": ("办事指南提供样本有错", "The sample was wrong"),
    "many_windows": ("多头跑窗口和部门", "Sent from window to window"),
    "many_trips": ("跑大厅多次", "Many visits"),
    "abusive": ("服务态度恶劣", "Abusive"),
    "bribery": ("有“吃拿卡要”行为", "Asked for favours"),
}
"""Reasons by the last part of their id (`lv5.warm` → warm)."""


def label(table: dict, key: object, language: str) -> str:  # type: ignore[type-arg]
    """The name of `key`, or the key itself when a newer release made it."""
    row = table.get(key)
    return str(key) if row is None else str(row[0 if language == "zh" else 1])


def part(name: str, language: str) -> str:
    """The name of a device's part; one of several of a kind with what tells it from the others, as its configuration says."""
    place = place_of(name)
    kind = label(PARTS, kind_of(name), language)
    if name in PARTS or not place:
        return label(PARTS, name, language)
    return f"{kind}（{place}）" if language == "zh" else f"{kind} ({place})"


def act(action: str, language: str) -> str:
    """The name of a deed in the audit log."""
    if action.startswith("command."):
        return ("命令：" if language == "zh" else "Order: ") + label(VERBS, action.removeprefix("command."), language)
    return label(ACTS, action, language)


def reason(tag: str, language: str) -> str:
    """The name of a rating's reason."""
    return label(REASONS, tag.rsplit(".", 1)[-1], language)
